"""Rows that react: a like or a comment becomes a reaction to the activity of another row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import models

from django_stream.activities.model_references import concrete, label_reference_of
from django_stream.activities.owners import owner_id, user_id_of
from django_stream.activities.paths import Source, related_model, resolve, wire_name
from django_stream.activities.payload import feed_ids_of, payload_of
from django_stream.activities.publishers.base import RowPublisher
from django_stream.activities.publishers.mirrors import plain
from django_stream.activities.publishers.sending import Sender
from django_stream.activities.representation import ActivityProperties
from django_stream.client import StreamClient
from django_stream.client.exceptions import ConflictException, DoesNotExistException
from django_stream.database.querysets import all_rows
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.times import parse_time
from django_stream.publishing.publisher import Change, Desired, Record

# Any fixed value: a row must get the same reaction id each time it is sent.
_NAMESPACE = uuid.UUID("5f0c7f0e-3d0b-4c1e-9a55-6e1b8f7a2d41")


@dataclass(frozen=True, slots=True)
class ReactionDeclaration:
    """The `class Reaction:` of a model."""

    activity: Source = "activity"
    """Leads to the row whose activity is reacted to."""
    user: Source = "user"
    kind: str | None = None
    """The model's name in lower case unless given."""
    fields: Sequence[str] = ()
    """Fields that go along as the reaction's data."""
    to: Source | None = None
    """Feeds (or users: their notification feeds) that are told of the reaction."""


class ReactionPublisher(RowPublisher):
    """One row, one reaction; it moves when its user, its kind or its activity does."""

    kind = "reaction"

    def __init__(
        self,
        model: type[models.Model],
        declaration: ReactionDeclaration,
        representation_of: Callable[[models.Model], ActivityProperties | None],
    ) -> None:
        sources = [declaration.activity, declaration.user, *declaration.fields]
        super().__init__(model, [*sources, declaration.to] if declaration.to else sources)
        self.declaration = declaration
        self._representation_of = representation_of

    def desired_by(self, row: Any) -> Desired | None:
        target = self._activity_id(row)
        user = resolve(row, self.declaration.user)
        if target is None or user is None:
            return None
        record: Record = {
            "kind": self.declaration.kind or row._meta.model_name,
            "activity_id": target,
            "user_id": _user_id(user),
        }
        name = ":".join((label_reference_of(row), *record.values()))
        record["id"] = str(uuid.uuid5(_NAMESPACE, name))
        data = {wire_name(path): plain(resolve(row, path)) for path in self.declaration.fields}
        return Desired([record], {"data": data, "target_feeds": self._target_feeds(row)})

    def _activity_id(self, row: Any) -> str | None:
        """The id of the other row's activity, None while that is not published."""
        other = resolve(row, self.declaration.activity)
        representation = self._representation_of(other) if other is not None else None
        payload = payload_of(representation) if representation is not None else None
        if payload is None:
            return None
        return str(activity_id(parse_time(payload.activity["time"]), payload.activity["foreign_id"]))

    def reacts_to(self, model: type[models.Model]) -> bool:
        """Whether rows of this model are reacted to, as far as a path tells."""
        other = related_model(self.model, self.declaration.activity)
        return other is not None and issubclass(model, concrete(other))

    def keys_reacting_to(self, pks: Sequence[Any], using: str) -> Iterable[str]:
        """The keys of all rows that react to these."""
        path = str(self.declaration.activity).replace(".", "__")
        return self.keys_where(all_rows(self.model, using).filter(**{f"{path}__pk__in": pks}))

    def _target_feeds(self, row: Any) -> list[str]:
        recipients = None if self.declaration.to is None else resolve(row, self.declaration.to)
        if recipients is None:
            return []
        return feed_ids_of(recipients if isinstance(recipients, list | tuple | set) else [recipients])

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        sender = Sender()
        for change in changes:
            if change.desired is not None:
                sender.one(change, partial(_put, client, change, change.desired))
            for record in change.stale:
                sender.one(change, partial(_remove, client, record))
        return sender.failures


def _user_id(user: Any) -> str:
    """Of an instance, or of what a path ends in: the key of a user."""
    return user_id_of(user) if isinstance(user, models.Model) else owner_id(user)


def _put(client: StreamClient, change: Change, desired: Desired) -> None:
    (record,) = desired.records
    if record in change.before:
        try:
            client.reactions.update(record["id"], **desired.content)
            return
        except DoesNotExistException:
            pass  # An earlier attempt was killed after it wrote its intent and before it called.
    try:
        client.reactions.add(**record, **desired.content)
    except ConflictException:
        client.reactions.update(record["id"], **desired.content)


def _remove(client: StreamClient, record: Record) -> None:
    with suppress(DoesNotExistException):
        client.reactions.delete(record["id"])
