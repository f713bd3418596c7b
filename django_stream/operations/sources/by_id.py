"""Users, collection entries and reactions: what the API answers by id."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from django_stream.activities.ids import from_wire_id, pk_text
from django_stream.activities.model_references import clean_pk
from django_stream.activities.owners import Owner, owner_model, parse_owner_id
from django_stream.activities.publishers.mirrors import CollectionPublisher
from django_stream.database.batches import batched
from django_stream.operations.comparison import Entry, state_of
from django_stream.operations.sources.base import Source, by_side
from django_stream.operations.spool import Side, Spool
from django_stream.protocol import limits
from django_stream.protocol.inspection import Inspection
from django_stream.publishing.publisher import Desired, Publisher, Record


class IdSource(Source):
    """Things that the API answers by id: all of them, or those of the tables and of the ledger."""

    per_request = limits.USERS_PER_REQUEST

    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        yield Entry(self.place(publisher), record["id"], record=record)

    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        yield Entry(self.place(publisher), desired.records[0]["id"], state_of(self.wanted_state(desired)))

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        if self.look.inspection is not None and self.look.sample is None:
            yield from by_side(self.all(self.look.inspection))
            return
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
    def all(self, inspection: Inspection) -> Iterator[tuple[Side, Entry]]:
        """All that a home in this process has; what may be of other programs is only seen."""

    @abstractmethod
    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        """Those that exist."""


class UserSource(IdSource):
    not_listed = "the API lists no users: of extra ones, those are found that the ledger knows"

    def place(self, publisher: Publisher) -> str:
        return "users"

    def all(self, inspection: Inspection) -> Iterator[tuple[Side, Entry]]:
        labels = {owner_model(one.model): one.label for one in self.publishers}
        for user in inspection.users():
            owner = parse_owner_id(user["id"])
            is_certain = owner is not None
            owner = owner or Owner(owner_model(get_user_model()), from_wire_id(user["id"]))
            label = labels.get(owner.model, "")
            key = _key(owner.model, owner.object_id) if label else ""
            if key and (is_certain or _tells_a_row(owner.model, user["id"])):
                yield Side.FOUND, self._entry(user, label, key)
            else:
                yield Side.SEEN, self._entry(user)

    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        yield from map(self._entry, self.look.client.users.get_many(ids)["users"])

    def _entry(self, user: Mapping[str, Any], label: str = "", key: str = "") -> Entry:
        return Entry("users", user["id"], state_of(user["data"]), label, key, {"id": user["id"]})


class CollectionSource(IdSource):
    not_listed = "the API lists no entries: of extra ones, those are found that the ledger knows"

    def place(self, publisher: Publisher) -> str:
        assert isinstance(publisher, CollectionPublisher)
        return f"collection {publisher.declaration.name}"

    def all(self, inspection: Inspection) -> Iterator[tuple[Side, Entry]]:
        by_place = {self.place(one): one for one in self.publishers}
        names = [place.partition(" ")[2] for place in by_place]
        for entry in inspection.entries(names):
            place = f"collection {entry['collection']}"
            publisher = by_place[place]
            key = _key(publisher.model, from_wire_id(entry["id"]))
            # Users of the API may have entries of their own beside the rows.
            if key and not entry["user_id"] and _tells_a_row(publisher.model, entry["id"]):
                yield Side.FOUND, self._entry(place, entry, publisher.label, key)
            else:
                yield Side.SEEN, self._entry(place, entry)

    def answers(self, place: str, ids: list[str]) -> Iterator[Entry]:
        _, _, name = place.partition(" ")
        for one in self.look.client.collections.select(name, ids)["response"]["data"]:
            yield self._entry(place, one)

    def _entry(self, place: str, one: Mapping[str, Any], label: str = "", key: str = "") -> Entry:
        return Entry(place, one["id"], state_of(_without_id(one["data"])), label, key, {"id": one["id"]})

    def wanted_state(self, desired: Desired) -> Any:
        return _without_id(desired.content)


def _without_id(data: Mapping[str, Any]) -> dict[str, Any]:
    """The API may repeat an entry's id among its data."""
    return {name: value for name, value in data.items() if name != "id"}


def _key(model: type[Any], text: str) -> str:
    """The key of a row of the model that a text stands for; "" where it stands for none."""
    pk = clean_pk(model, text)
    return text if pk is not None and pk_text(pk) == text else ""


def _tells_a_row(model: type[Any], name: str) -> bool:
    """Whether nobody else would give such a name. Any word may be a key that is a text."""
    has_text = any(isinstance(field, models.CharField | models.TextField) for field in model._meta.pk_fields)
    return not has_text or from_wire_id(name) != name
