"""Activities, by the feeds of their actors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from django_stream.activities.representation import overrides, represents_itself
from django_stream.client.encoding import plain
from django_stream.client.exceptions import FeedConfigException
from django_stream.database.batches import batched
from django_stream.operations.comparison import Entry, activity_state
from django_stream.operations.sources.base import Look, Source, by_side, places_of
from django_stream.operations.spool import Side, Spool
from django_stream.protocol import limits
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.feed_ids import slug_of
from django_stream.protocol.times import parse_time
from django_stream.publishing.publisher import Desired, Publisher, Record


class ActivitySource(Source):
    """Activities, by the feeds of their actors."""

    moves = True
    not_listed = "the API lists no feeds: extra ones are found on feeds that the tables or the ledger know"

    def __init__(self, publishers: Collection[Publisher], look: Look) -> None:
        super().__init__(publishers, look)
        self._labels = {
            one.model._meta.label: one.label
            for one in publishers
            if not (represents_itself(one.model) and overrides(one.model, "activity_foreign_id"))
        }
        self._slugs: set[str] = set()

    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        state = activity_state(desired.content)
        for record in desired.records:
            thing = _thing(record)
            self._slugs.add(slug_of(record["feed"]))
            yield Entry(record["feed"], thing, state)
            for target in record["to"]:
                # A recipient's feed is looked at where it is of a group that actors have, too.
                if slug_of(target) in self._slugs:
                    yield Entry(target, thing, state)

    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        yield Entry(record["feed"], _thing(record))

    def record_of(self, place: str, thing: str) -> Record | None:
        time, _, foreign_id = thing.partition(" ")
        return {"feed": place, "to": [], "foreign_id": foreign_id, "time": time}

    def shown(self, thing: str) -> str:
        return _id(thing)

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        inspection = self.look.inspection if self.look.sample is None else None
        for places in places_of(spool, self.look, self._slugs):
            if inspection is not None:
                yield from by_side(self._entry(place, one) for place, one in inspection.placed(places))
                continue
            for place in places:
                read = self._some(spool, place) if self.look.sample is not None else self._all(spool, place)
                yield from by_side(read)

    def _all(self, spool: Spool, place: str) -> Iterator[tuple[Side, Entry]]:
        """The whole feed; what followed feeds brought is theirs. Grouped feeds do not show all they hold."""
        after: dict[str, Any] = {}
        feed = self.look.client.feed(place)
        while True:
            try:
                page = feed.get(limit=limits.PAGE_MAX, **after)["results"]
            except FeedConfigException:
                return
            if page and "activities" in page[0]:
                yield from self._some(spool, place)
                return
            for item in page:
                if not item.get("origin"):
                    yield self._entry(place, plain(item))
            if len(page) < limits.PAGE_MAX:
                return
            after = {"id_lt": page[-1]["id"]}

    def _some(self, spool: Spool, place: str) -> Iterator[tuple[Side, Entry]]:
        for things in spool.things_at(place):
            for ids in batched(map(_id, things), limits.ACTIVITIES_PER_REQUEST):
                for item in self.look.client.get_activities(ids=ids)["results"]:
                    yield self._entry(place, plain(item))

    def _entry(self, place: str, activity: Mapping[str, Any]) -> tuple[Side, Entry]:
        foreign_id = activity.get("foreign_id") or ""
        model, _, key = foreign_id.partition(":")
        to, time = activity.get("to", []), activity.get("time")
        record: Record | None = {"feed": place, "to": to, "foreign_id": foreign_id, "time": time}
        label = self._labels.get(model, "")
        thing = f"{time} {foreign_id}" if foreign_id else str(activity["id"])
        if foreign_id and not to:
            record = None  # most are like this, and tell themselves: see `record_of`
        entry = Entry(place, thing, activity_state(activity), label, key if label else "", record)
        return (Side.FOUND if label else Side.SEEN), entry


def _thing(record: Mapping[str, Any]) -> str:
    """What makes an activity's id, and is compared at a fraction of the cost of making one."""
    return f"{record['time']} {record['foreign_id']}"


def _id(thing: str) -> str:
    time, _, foreign_id = thing.partition(" ")
    return str(activity_id(parse_time(time), foreign_id)) if foreign_id else thing
