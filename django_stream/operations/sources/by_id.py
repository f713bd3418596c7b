"""Users, collection entries and reactions: what the API answers by id."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from django_stream.activities.publishers.mirrors import CollectionPublisher
from django_stream.database.batches import batched
from django_stream.operations.comparison import Entry, state_of
from django_stream.operations.sources.base import Source
from django_stream.operations.spool import Side, Spool
from django_stream.protocol import limits
from django_stream.publishing.publisher import Desired, Publisher, Record


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


def _without_id(data: dict[str, Any]) -> dict[str, Any]:
    """The API may repeat an entry's id among its data."""
    return {name: value for name, value in data.items() if name != "id"}
