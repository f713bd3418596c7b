"""Rows that react: a like or a comment becomes a reaction to the activity of another row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.db import models

from django_stream.activities.ids import pk_text
from django_stream.activities.model_references import Reference, clean_pk, concrete, label_reference_of
from django_stream.activities.owners import owner_id, user_id_of
from django_stream.activities.paths import (
    FixedFeeds,
    Source,
    fixed_or_source,
    last_field,
    related_model,
    resolve,
    wire_name,
)
from django_stream.activities.payload import feed_ids_of, others, payload_of
from django_stream.activities.publishers.base import RowPublisher, with_related
from django_stream.activities.publishers.mirrors import plain
from django_stream.activities.publishers.targets import TargetSender
from django_stream.activities.representation import ActivityProperties
from django_stream.client.exceptions import ConflictException, DoesNotExistException
from django_stream.database.querysets import all_rows
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.times import parse_time
from django_stream.publishing.publisher import Change, Desired, Record

if TYPE_CHECKING:
    from django_stream.client import StreamClient

ID_VERSION = 5
"""Of the UUIDs that are the ids of rows' reactions."""
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
    to: Source | Sequence[str] | None = None
    """Feeds (or users: their notification feeds) that are told of it; a list of ids for all rows."""
    should_publish: Source | None = None
    """False for a row that is no reaction (yet, or any more), such as a comment that waits for approval."""
    notify_self: bool = False
    """Whether users are told of their own reactions."""
    capture: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", fixed_or_source(self.to))


class ReactionPublisher(RowPublisher):
    """One row, one reaction; it moves when its user, its kind or its activity does."""

    kind = "reaction"

    def __init__(
        self,
        model: type[models.Model],
        declaration: ReactionDeclaration,
        representation_of: Callable[[models.Model], ActivityProperties | None],
    ) -> None:
        to = None if isinstance(declaration.to, FixedFeeds) else cast("Source | None", declaration.to)
        optional = (to, declaration.should_publish)
        sources = [declaration.activity, declaration.user, *declaration.fields]
        super().__init__(model, [*sources, *(source for source in optional if source)])
        self.declaration = declaration
        self._representation_of = representation_of

    def desired_by(self, row: Any) -> Desired | None:
        if not self.is_reaction(row):
            return None
        target = self._activity_id(row)
        user = resolve(row, self.declaration.user)
        if target is None or user is None:
            return None
        user_id = _user_id(user)
        record: Record = {
            "kind": self.reaction_kind,
            "activity_id": target,
            "user_id": user_id,
            "id": self.id_of(row, target, user_id),
        }
        data = {wire_name(path): plain(resolve(row, path)) for path in self.declaration.fields}
        return Desired([record], {"data": data, "target_feeds": self._target_feeds(row, user)})

    def is_reaction(self, row: Any) -> bool:
        """Whether a row is one by now, as its `should_publish` says."""
        condition = self.declaration.should_publish
        return condition is None or bool(resolve(row, condition))

    @property
    def reaction_kind(self) -> str:
        """What the API calls such reactions."""
        return self.declaration.kind or self.model._meta.model_name or ""

    def id_of(self, row: Any, activity_id: str, user_id: str) -> str:
        """The id of a row's reaction; it changes with everything that a reaction cannot change."""
        name = ":".join((label_reference_of(row), self.reaction_kind, activity_id, user_id))
        return str(uuid.uuid5(_NAMESPACE, name))

    def user_id_of(self, row: Any) -> str:
        """Who reacts, as the API names users; "" for nobody."""
        user = resolve(row, self.declaration.user)
        return "" if user is None else _user_id(user)

    def key_to_user(self, user_model: type[models.Model]) -> str | None:
        """The name of the foreign key to the user, None where anything else tells who reacts."""
        path = self.declaration.user
        if not isinstance(path, str) or "." in path:
            return None
        model = related_model(self.model, path)
        return path if model is not None and issubclass(concrete(model), user_model) else None

    def _activity_id(self, row: Any) -> str | None:
        """The id of the other row's activity, None while that is not published."""
        other = resolve(row, self.declaration.activity)
        representation = self._representation_of(other) if other is not None else None
        payload = payload_of(representation) if representation is not None else None
        if payload is None:
            return None
        return str(activity_id(parse_time(payload.activity["time"]), payload.activity["foreign_id"]))

    @property
    def fixed_feeds(self) -> tuple[str, ...]:
        to = self.declaration.to
        return to if isinstance(to, FixedFeeds) else ()

    def reacts_to(self, model: type[models.Model]) -> bool:
        """Whether rows of this model are reacted to, as far as a path tells."""
        if self._generic is not None:
            return True
        other = related_model(self.model, self.declaration.activity)
        return other is not None and issubclass(model, concrete(other))

    @property
    def _generic(self) -> Any:
        """The generic foreign key that leads to the activity, where it is one."""
        field = last_field(self.model, self.declaration.activity)
        return field if hasattr(field, "ct_field") and field.model is self.model else None

    def keys_reacting_to(self, model: type[models.Model], pks: Sequence[Any], using: str) -> Iterable[str]:
        """The keys of all rows that react to these rows of a model."""
        return self.keys_where(self._reacting_to(all_rows(self.model, using), model, pks))

    def rows_on(self, model: type[models.Model], pks: Sequence[Any]) -> models.QuerySet[Any]:
        """The rows that react to these rows of a model, whether or not they are reactions by now."""
        return self._reacting_to(self.model._default_manager.all(), model, pks)

    def rows_reacting_to(
        self, model: type[models.Model], pks: Sequence[Any], users: Iterable[Reference]
    ) -> models.QuerySet[Any]:
        """The rows by which some users react to these rows of a model; none where only code tells."""
        rows, path = self.model._default_manager.all(), self.declaration.user
        if not self.reacts_to(model):
            return rows.none()
        if isinstance(path, str) and (reacting := related_model(self.model, path)):
            keys = [clean_pk(reacting, user.object_id) for user in users if issubclass(reacting, user.model)]
            rows = rows.filter(**{f"{path.replace('.', '__')}__pk__in": keys})
        return with_related(self._reacting_to(rows, model, pks), [path], rows.db)

    def counts_reacting_to(
        self, model: type[models.Model], pks: Sequence[Any], narrowed: Callable[[Any], Any]
    ) -> dict[str, int]:
        """How many of the narrowed rows react to each of these rows of a model, by its key.

        Nothing where a query cannot tell which rows are reactions.
        """
        condition = self.declaration.should_publish
        if condition is not None and last_field(self.model, condition) is None:
            return {}
        if self._generic is not None or not self.reacts_to(model):
            return {}
        rows = self._reacting_to(self.model._default_manager.all(), model, pks)
        if isinstance(condition, str):
            rows = rows.filter(**{condition.replace(".", "__"): True})
        path = str(self.declaration.activity).replace(".", "__") + "__pk"
        seen = self.model._default_manager.filter(pk__in=narrowed(rows).order_by().values("pk"))
        numbers = dict(seen.order_by().values_list(path).annotate(models.Count("pk")))
        return {pk_text(pk): numbers.get(pk, 0) for pk in pks}

    def _reacting_to(
        self, rows: models.QuerySet[Any], model: type[models.Model], pks: Sequence[Any]
    ) -> models.QuerySet[Any]:
        if (key := self._generic) is not None:
            types: Any = self.model._meta.get_field(key.ct_field).related_model
            kind = types.objects.db_manager(rows.db).get_for_model(
                model, for_concrete_model=key.for_concrete_model
            )
            named = {key.ct_field: kind, f"{key.fk_field}__in": [pk_text(pk) for pk in pks]}
            return rows.filter(**named)
        path = str(self.declaration.activity).replace(".", "__")
        return rows.filter(**{f"{path}__pk__in": pks})

    def _target_feeds(self, row: Any, user: Any) -> list[str]:
        to = self.declaration.to
        recipients = None if to is None else resolve(row, cast("Source", to))
        if recipients is None:
            return []
        told = recipients if isinstance(recipients, list | tuple | set) else [recipients]
        return feed_ids_of(told if self.declaration.notify_self else others(told, user))

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        sender = TargetSender(client)
        for change in changes:
            if change.desired is not None:
                sender.one(change, partial(_put, sender, change, change.desired))
            for record in change.stale:
                sender.one(change, partial(_remove, client, record))
        sender.report_targets(changes, lambda desired: desired.content["target_feeds"])
        return sender.failures


def _user_id(user: Any) -> str:
    """Of an instance, or of what a path ends in: the key of a user."""
    return user_id_of(user) if isinstance(user, models.Model) else owner_id(user)


def _put(sender: TargetSender, change: Change, desired: Desired) -> None:
    targets = desired.content["target_feeds"]

    def put() -> None:
        served = {**desired.content, "target_feeds": sender.served(targets)}
        _put_to(sender.client, change, desired.records[0], served)

    sender.sparing_targets(targets, put)


def _put_to(client: StreamClient, change: Change, record: Record, content: dict[str, Any]) -> None:
    if record in change.before:
        try:
            client.reactions.update(record["id"], **content)
            return
        except DoesNotExistException:
            pass  # An earlier attempt was killed after it wrote its intent and before it called.
    try:
        client.reactions.add(**record, **content)
    except ConflictException:
        _replace(client, record, content)


def _replace(client: StreamClient, record: Record, content: Mapping[str, Any]) -> None:
    """The id is taken: by an earlier attempt, or by a user who guessed it and has to give way."""
    stored: Mapping[str, Any] = client.reactions.get(record["id"])
    if all(stored[name] == value for name, value in record.items()) and not stored["parent"]:
        with suppress(DoesNotExistException):  # softly deleted
            client.reactions.update(record["id"], **content)
            return
    client.reactions.delete(record["id"])
    client.reactions.add(**record, **content)


def _remove(client: StreamClient, record: Record) -> None:
    with suppress(DoesNotExistException):
        client.reactions.delete(record["id"])
