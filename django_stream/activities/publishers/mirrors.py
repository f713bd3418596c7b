"""Rows mirrored as users or collection entries, so that clients which know no models can show them."""

from __future__ import annotations

import datetime
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models

from django_stream.activities.ids import wire_id
from django_stream.activities.owners import user_id_of
from django_stream.activities.paths import read_property, resolve, wire_name
from django_stream.activities.publishers.base import RowPublisher
from django_stream.activities.publishers.sending import Sender
from django_stream.protocol import limits
from django_stream.publishing.publisher import Change, Desired

if TYPE_CHECKING:
    from django_stream.client import StreamClient


@dataclass(frozen=True, slots=True)
class MirrorDeclaration:
    """Which fields of a row are mirrored; `name` is the collection's."""

    fields: Sequence[str] = ()
    name: str = ""
    capture: str | None = None


@dataclass(frozen=True, slots=True)
class CollectionDeclaration(MirrorDeclaration):
    """The `class Collection:` of a model."""

    owner: str | None = None
    """Path of foreign keys to the user whose rows these are, for `stream_person`."""


class MirrorPublisher(RowPublisher):
    """What users and collection entries share: an id, and data from fields or a property."""

    data_property = ""

    def __init__(self, model: type[models.Model], declaration: MirrorDeclaration) -> None:
        # A property may read any field.
        sources = () if hasattr(model, self.data_property) else declaration.fields
        super().__init__(model, sources)
        self.declaration = declaration

    def shown_models(self) -> Iterable[type[models.Model]]:
        return (self.model,)

    def data_of(self, row: Any) -> dict[str, Any]:
        # Looked up on the model: on a row, a property that raises AttributeError would seem to be missing.
        if hasattr(self.model, self.data_property):
            data: dict[str, Any] = read_property(row, self.data_property, row)
            return data
        return {wire_name(path): plain(resolve(row, path)) for path in self.declaration.fields}

    def desired_by(self, row: Any) -> Desired | None:
        return Desired([{"id": self.entry_id(row)}], self.data_of(row))

    def entry_id(self, row: Any) -> str:
        """The name of the row's user or entry in the API."""
        return wire_id(row)

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        sender = Sender()
        put = [change for change in changes if change.desired is not None]
        gone = [change for change in changes if change.desired is None]
        sender.batch(put, limits.USERS_PER_REQUEST, lambda part: self.put(client, part))
        sender.batch(gone, limits.USERS_PER_REQUEST, lambda part: self.remove(client, part))
        return sender.failures

    @abstractmethod
    def put(self, client: StreamClient, changes: Sequence[Change]) -> None:
        """Write the entries as they should be."""

    @abstractmethod
    def remove(self, client: StreamClient, changes: Sequence[Change]) -> None:
        """Remove the entries whose rows are gone."""


class CollectionPublisher(MirrorPublisher):
    """Rows are entries of a collection, and `SO:<collection>:<id>` in activities."""

    kind = "collection"
    data_property = "collection_data"
    declaration: CollectionDeclaration

    @property
    def reference_prefix(self) -> str:
        return f"SO:{self.declaration.name}"

    def put(self, client: StreamClient, changes: Sequence[Change]) -> None:
        items = [_item(_id(change), change.desired.content) for change in changes if change.desired]
        client.collections.upsert(self.declaration.name, items)

    def remove(self, client: StreamClient, changes: Sequence[Change]) -> None:
        client.collections.delete_many(self.declaration.name, [_id(change) for change in changes])


def _item(entry_id: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as clients send it, its fields beside the id.

    One that has the form of the API's documents, where the fields stand in `data`, is sent in that form:
    it would be taken for it.
    """
    item = {**content, "id": entry_id}
    if isinstance(content.get("data"), Mapping) and content.keys() <= {"id", "data", "user_id"}:
        return {"id": entry_id, "data": item}
    return item


class UserPublisher(MirrorPublisher):
    """Rows are users of the API, and `SU:<id>` in activities."""

    kind = "user"
    data_property = "stream_user_data"

    def entry_id(self, row: Any) -> str:
        return user_id_of(row)

    @property
    def reference_prefix(self) -> str:
        return "SU"

    def put(self, client: StreamClient, changes: Sequence[Change]) -> None:
        users = [{"id": _id(change), "data": change.desired.content} for change in changes if change.desired]
        client.users.add_many(users, override=True)

    def remove(self, client: StreamClient, changes: Sequence[Change]) -> None:
        client.users.delete_many([_id(change) for change in changes])


def plain(value: Any) -> Any:
    """A field's value as JSON can carry it; times keep their zone."""
    if isinstance(value, models.Model):
        return wire_id(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | list | dict) else str(value)


def _id(change: Change) -> str:
    record = change.desired.records[0] if change.desired else change.before[0]
    entry_id: str = record["id"]
    return entry_id
