"""Reactions, by id and by the activities that they are to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.publishers.reactions import ID_VERSION, ReactionPublisher
from django_stream.database.batches import batched
from django_stream.operations.comparison import Entry, state_of
from django_stream.operations.sources.by_id import IdSource
from django_stream.operations.spool import Side, Spool
from django_stream.protocol import limits
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.inspection import Inspection
from django_stream.protocol.times import parse_time
from django_stream.publishing.one_by_one import undigested_state
from django_stream.publishing.publisher import Desired, Publisher, publishers

_PLACE = "reactions"
_FIELDS = ("kind", "activity_id", "user_id")
_ACTIVITIES = 25
"""Asked for at once: each comes with up to 25 reactions of each kind."""


class ReactionSource(IdSource):
    """Those of people who react elsewhere than on this site have ids of another make, and are theirs."""

    not_listed = (
        "the API lists reactions by activity: extra ones are found where the tables want the activity"
    )

    def place(self, publisher: Publisher) -> str:
        return _PLACE

    def wanted_state(self, desired: Desired) -> Any:
        record = desired.records[0]
        return [*(record[name] for name in _FIELDS), desired.content["data"]]

    def all(self, inspection: Inspection) -> Iterator[tuple[Side, Entry]]:
        for one in inspection.reactions(self._kinds()):
            if _may_be_ours(one):
                yield Side.FOUND, _entry(one)

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        yield from super().found(spool)
        if self.look.is_elsewhere:
            for some in batched(self._listed(), limits.ACTIVITIES_PER_REQUEST):
                entries = {one["id"]: _entry(one) for one in some if _may_be_ours(one)}
                unknown = spool.absent(_PLACE, list(entries))
                yield Side.FOUND, [entry for thing, entry in entries.items() if thing in unknown]

    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        found: list[Any] = list(self.look.client.reactions.get_many(ids)["reactions"])
        yield from map(_entry, found)

    def _kinds(self) -> list[str]:
        return sorted({one.reaction_kind for one in self._reacting()})

    def _reacting(self) -> list[ReactionPublisher]:
        return [one for one in self.publishers if isinstance(one, ReactionPublisher)]

    def _listed(self) -> Iterator[Any]:
        """All reactions to the activities that tables want."""
        kinds, most = self._kinds(), limits.LATEST_REACTIONS_MAX
        latest: Any = {"recent": True, "counts": True, "kinds": kinds, "recent_limit": most}
        for ids in batched(self._activity_ids(), _ACTIVITIES):
            activities: Any = self.look.client.get_activities(ids=ids, reactions=latest)["results"]
            for activity in activities:
                for kind in kinds:
                    newest = activity["latest_reactions"].get(kind, [])
                    yield from newest
                    if len(newest) < activity["reaction_counts"].get(kind, 0):
                        yield from self._older(activity["id"], kind, newest)

    def _older(self, activity: str, kind: str, newest: list[Any]) -> Iterator[Any]:
        page = newest
        while page:
            behind = {"id_lt": page[-1]["id"], "limit": limits.REACTION_PAGE_MAX}
            found: Any = self.look.client.reactions.filter(activity_id=activity, kind=kind, **behind)
            page = found["results"]
            yield from page

    def _activity_ids(self) -> Iterator[str]:
        for publisher in publishers():
            if isinstance(publisher, ActivityPublisher) and any(
                one.reacts_to(publisher.model) for one in self._reacting()
            ):
                for keys in self._keys(publisher):
                    for desired in undigested_state(publisher, keys, self.look.using).values():
                        for record in desired.records if isinstance(desired, Desired) else ():
                            yield str(activity_id(parse_time(record["time"]), record["foreign_id"]))


def _entry(one: Mapping[str, Any]) -> Entry:
    record = {"id": one["id"], **{name: one[name] for name in _FIELDS}}
    state = [*(one[name] for name in _FIELDS), one["data"]]
    return Entry(_PLACE, one["id"], state_of(state), record=record)


def _may_be_ours(one: Mapping[str, Any]) -> bool:
    """The ids of rows are made from names; the API makes its own ids by chance."""
    try:
        return uuid.UUID(one["id"]).version == ID_VERSION and not one.get("parent")
    except ValueError:
        return False
