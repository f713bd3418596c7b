"""Both sides of the comparison, streamed: what the tables want, and what the feeds hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django_stream.activities.kinds import (
    ACTIVITIES,
    COLLECTIONS,
    FOLLOWS,
    REACTIONS,
    USERS,
    TrackedKind,
    kind_of,
)
from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.activities.publishers.mirrors import CollectionPublisher
from django_stream.activities.representation import overrides, represents_itself
from django_stream.client import StreamClient
from django_stream.client.encoding import plain
from django_stream.client.exceptions import FeedConfigException
from django_stream.conf import stream_settings
from django_stream.database.batches import batched
from django_stream.database.querysets import all_rows
from django_stream.operations.comparison import UNREADABLE, Entry, activity_state, state_of
from django_stream.operations.spool import Side, Spool
from django_stream.operations.walking import Walk
from django_stream.protocol import limits
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.inspection import Inspection
from django_stream.protocol.times import parse_time
from django_stream.publishing.batch import desired_state
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import Desired, Publisher, Record

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Look:
    """Where both sides are."""

    using: str
    client: StreamClient
    inspection: Inspection | None = None
    """What tells of feeds that neither the tables nor the ledger know of; None for a home elsewhere."""
    sample: int | None = None
    """So many rows of each model, by chance, instead of all."""


class Source(ABC):
    """One kind of tracked models."""

    moves = False
    """Whether a thing is somewhere else when it is not in its place, and not simply missing."""

    def __init__(self, publishers: Collection[Publisher], look: Look) -> None:
        self.publishers = publishers
        self.look = look

    def fill(self, spool: Spool) -> int:
        """Read both sides; returns how much the tables want."""
        count = 0
        for publisher in self.publishers:
            count += spool.add(Side.WANTED, self._wanted(publisher))
            if self.look.sample is None:
                spool.add(Side.KNOWN, self._known(publisher))
        for side, entries in self.found(spool):
            spool.add(side, entries)
        return count

    @abstractmethod
    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        """What should be there for one object."""

    @abstractmethod
    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        """Where a record of the ledger may be found."""

    @abstractmethod
    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        """What the API answers of all places that the spool knows of."""

    def _wanted(self, publisher: Publisher) -> Iterator[Entry]:
        for keys in self._keys(publisher):
            for key, desired in desired_state(publisher, keys, self.look.using).items():
                if isinstance(desired, Exception):
                    yield Entry(publisher.label, key, UNREADABLE, publisher.label, key)
                else:
                    yield from (
                        Entry(one.place, one.thing, one.state, publisher.label, key)
                        for one in self.entries(publisher, desired)
                    )

    def _keys(self, publisher: Publisher) -> Iterator[list[str]]:
        rows = all_rows(publisher.model, self.look.using)
        if self.look.sample is not None:
            yield from batched(publisher.keys_where(rows.order_by("?")[: self.look.sample]), _CHUNK)
            return
        for step in Walk(rows).steps(_CHUNK):
            yield list(dict.fromkeys(publisher.keys_where(rows.filter(pk__in=step.pks))))

    def _known(self, publisher: Publisher) -> Iterator[Entry]:
        ledger = Publication.objects.using(self.look.using).filter(model_label=publisher.label)
        for key, records in ledger.values_list("object_key", "records").iterator(chunk_size=_CHUNK):
            for record in records:
                for one in self.known(publisher, record):
                    yield Entry(one.place, one.thing, "", publisher.label, key, record)


class ActivitySource(Source):
    """Activities, by the feeds of their actors."""

    moves = True

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
            thing = _activity_id(record)
            self._slugs.add(FeedID.parse(record["feed"]).slug)
            yield Entry(record["feed"], thing, state)
            for target in record["to"]:
                # A recipient's feed is looked at where it is of a group that actors have, too.
                if FeedID.parse(target).slug in self._slugs:
                    yield Entry(target, thing, state)

    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        yield Entry(record["feed"], _activity_id(record))

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        for places in _places(spool, self.look, self._slugs):
            for place in places:
                read = self._some(spool, place) if self.look.sample is not None else self._all(spool, place)
                yield from _by_side(read)

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
                    yield self._entry(place, item)
            if len(page) < limits.PAGE_MAX:
                return
            after = {"id_lt": page[-1]["id"]}

    def _some(self, spool: Spool, place: str) -> Iterator[tuple[Side, Entry]]:
        for things in spool.things_at(place):
            for item in self.look.client.get_activities(ids=things)["results"]:
                yield self._entry(place, item)

    def _entry(self, place: str, item: Any) -> tuple[Side, Entry]:
        activity = plain(item)
        foreign_id = activity.get("foreign_id") or ""
        model, _, key = foreign_id.partition(":")
        record = {"feed": place, "to": activity.get("to", []), **_identity(activity)}
        label = self._labels.get(model, "")
        entry = Entry(place, activity["id"], activity_state(activity), label, key if label else "", record)
        return (Side.FOUND if label else Side.SEEN), entry


class FollowSource(Source):
    """Follows, by the feeds that follow."""

    def __init__(self, publishers: Collection[Publisher], look: Look) -> None:
        super().__init__(publishers, look)
        declared = {one.declaration.feed for one in publishers if isinstance(one, FollowPublisher)}
        self._targets = {feed or stream_settings.USER_FEED for feed in declared}

    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        for record in desired.records:
            self._targets.add(FeedID.parse(record["target"]).slug)
            yield Entry(record["source"], record["target"])

    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        yield Entry(record["source"], record["target"])

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        for places in _places(spool, self.look, set(stream_settings.news_feeds.values())):
            for place in places:
                yield from _by_side(self._follows(spool, place))

    def _follows(self, spool: Spool, place: str) -> Iterator[tuple[Side, Entry]]:
        """The newest ones, and of a feed with more than the API lists, those that are asked for by name."""
        feed = self.look.client.feed(place)
        try:
            newest = [] if self.look.sample else feed.following(limit=limits.FOLLOW_PAGE_MAX)["results"]
            yield from (self._entry(place, one["target_id"]) for one in newest)
            if self.look.sample is None and len(newest) < limits.FOLLOW_PAGE_MAX:
                return
            for targets in spool.things_at(place):
                answer = feed.following(limit=limits.FOLLOW_PAGE_MAX, feeds=targets)
                yield from (self._entry(place, one["target_id"]) for one in answer["results"])
        except FeedConfigException:
            return

    def _entry(self, place: str, target: str) -> tuple[Side, Entry]:
        is_ours = FeedID.parse(target).slug in self._targets
        record = {"source": place, "target": target}
        return (Side.FOUND if is_ours else Side.SEEN), Entry(place, target, record=record)


class IdSource(Source):
    """Things that the API answers by id: those of the tables and of the ledger are asked for."""

    per_request = limits.USERS_PER_REQUEST

    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        yield Entry(self.place(publisher), record["id"], record=record)

    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        yield Entry(self.place(publisher), desired.records[0]["id"], state_of(self.wanted_state(desired)))

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        mine = {self.place(one) for one in self.publishers}
        for places in spool.places():
            for place in mine.intersection(places):
                for things in spool.things_at(place):
                    for ids in batched(things, self.per_request):
                        yield Side.FOUND, self.answers(place, ids)

    @abstractmethod
    def place(self, publisher: Publisher) -> str:
        """Where the API keeps them."""

    def wanted_state(self, desired: Desired) -> Any:
        return desired.content

    @abstractmethod
    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        """Those that exist."""


class UserSource(IdSource):
    def place(self, publisher: Publisher) -> str:
        return "users"

    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        for one in self.look.client.users.get_many(ids)["users"]:
            yield Entry(place, one["id"], state_of(one["data"]), record={"id": one["id"]})


class CollectionSource(IdSource):
    def place(self, publisher: Publisher) -> str:
        assert isinstance(publisher, CollectionPublisher)
        return f"collection {publisher.declaration.name}"

    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        _, _, name = place.partition(" ")
        for one in self.look.client.collections.select(name, ids)["response"]["data"]:
            yield Entry(place, one["id"], state_of(_without_id(one["data"])), record={"id": one["id"]})

    def wanted_state(self, desired: Desired) -> Any:
        return _without_id(desired.content)


class ReactionSource(IdSource):
    _FIELDS = ("kind", "activity_id", "user_id")

    def place(self, publisher: Publisher) -> str:
        return "reactions"

    def wanted_state(self, desired: Desired) -> Any:
        record = desired.records[0]
        return [*(record[name] for name in self._FIELDS), desired.content["data"]]

    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        found: list[Any] = list(self.look.client.reactions.get_many(ids)["reactions"])
        for one in found:
            record = {"id": one["id"], **{name: one[name] for name in self._FIELDS}}
            state = [*(one[name] for name in self._FIELDS), one["data"]]
            yield Entry(place, one["id"], state_of(state), record=record)


_SOURCES: dict[str, type[Source]] = {
    USERS.inner: UserSource,
    COLLECTIONS.inner: CollectionSource,
    ACTIVITIES.inner: ActivitySource,
    REACTIONS.inner: ReactionSource,
    FOLLOWS.inner: FollowSource,
}


def sources_of(publishers: Iterable[Publisher], look: Look) -> Iterator[tuple[TrackedKind, Source]]:
    """A source for each kind of which there are models, in the order in which tables are published."""
    by_kind: dict[str, list[Publisher]] = {}
    for one in publishers:
        by_kind.setdefault(kind_of(one).inner, []).append(one)
    for inner, make in _SOURCES.items():
        if mine := by_kind.get(inner):
            yield kind_of(mine[0]), make(mine, look)


def _places(spool: Spool, look: Look, slugs: Collection[str]) -> Iterator[list[str]]:
    """Feeds that are wanted or known, and of a home that can be inspected all others of these groups."""
    for places in spool.places():
        yield [place for place in places if ":" in place]
    if look.inspection is not None and look.sample is None:
        yield from batched((one for one in look.inspection.feeds(slugs) if not spool.has(one)), _CHUNK)


def _by_side(entries: Iterable[tuple[Side, Entry]]) -> Iterator[tuple[Side, list[Entry]]]:
    for some in batched(entries, _CHUNK):
        for side in (Side.FOUND, Side.SEEN):
            if mine := [entry for one, entry in some if one == side]:
                yield side, mine


def _without_id(data: dict[str, Any]) -> dict[str, Any]:
    """The API may repeat an entry's id among its data."""
    return {name: value for name, value in data.items() if name != "id"}


def _activity_id(record: Record) -> str:
    return str(activity_id(parse_time(record["time"]), record["foreign_id"]))


def _identity(activity: dict[str, Any]) -> dict[str, Any]:
    return {name: activity.get(name) for name in ("foreign_id", "time")}
