"""Reactions and users as pages fetch them: plain rows, a fraction of the cost of model instances."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from django_stream.database.conditions import Column, has_rows, time_text, uuid_text
from django_stream.protocol import wire
from django_stream.server.activity_rows import loads
from django_stream.server.models import ChildCount, Reaction
from django_stream.server.reads.large_values import short
from django_stream.server.reads.serializers import rfc3339

_LENGTH = len("2026-01-31T12:00:00.000000")


class ReactionRow(NamedTuple):
    """One reaction, in the types of the database or of the model.

    Reactions of one kind to one activity sort in the order of arrival.
    """

    activity: UUID | str
    kind: str
    pk: int
    reaction_id: str
    user_id: str
    data: Any
    """None where it is large, and to be fetched when it is shown."""
    target_feeds: Any
    created_at: datetime | str
    updated_at: datetime | str
    has_children: bool
    """Whether it is worth asking for some: true where that is not known."""
    # What every reaction to an activity has, and pages need not fetch.
    parent_id: int | None = None
    parent_reaction_id: str = ""
    level: int = 1
    deleted_at: datetime | None = None

    @classmethod
    def of(cls, reaction: Reaction) -> ReactionRow:
        return cls._make(getattr(reaction, field, True) for field in cls._fields)

    @property
    def activity_id(self) -> str:
        return wire_uuid(self.activity)

    def shape(self, user: wire.User[str] | wire.UserWithoutProfile[str], data: Any) -> wire.Reaction[str]:
        """The reaction as an object of the wire, with its data, but for its children."""
        # Unpacked at once: an answer has hundreds of these.
        activity, kind, _, reaction_id, user_id, _, feeds, created_at, updated_at, *_ = self
        parent, deleted = self.parent_reaction_id, self.deleted_at
        created = updated = wire_time(created_at)
        if updated_at != created_at:
            updated = wire_time(updated_at)
        shape: wire.Reaction[str] = {
            "id": reaction_id,
            "kind": kind,
            "activity_id": wire_uuid(activity),
            "user_id": user_id,
            "user": user,
            "data": json_value(data),
            "created_at": created,
            "updated_at": updated,
            "parent": parent,
            "latest_children": {},
            "children_counts": {},
        }
        if feeds != "[]" and feeds:
            shape["target_feeds"] = json_value(feeds)
        if deleted is not None:
            shape["deleted_at"] = wire_time(deleted)
        return shape


PARENT_COLUMNS = ("r.parent_id", "r.parent_reaction_id", "r.level")


def columns_of(*, kind: str = "r.kind", activity: str = "r.activity") -> list[Column]:
    """What a statement selects of the reactions `r`; PARENT_COLUMNS follow where they may be children."""
    return [
        uuid_text(activity),
        kind,
        *("r.id", "r.reaction_id", "r.user_id", short("r.data"), "r.target_feeds"),
        time_text("r.created_at"),
        time_text("r.updated_at"),
        has_rows(ChildCount, "parent_id", "r.id"),
    ]


def read(rows: Iterable[tuple[Any, ...]]) -> list[ReactionRow]:
    """Rows of these columns."""
    return [ReactionRow(*row) for row in rows]


@lru_cache(maxsize=4096)
def wire_uuid(value: UUID | str) -> str:
    """A UUID as text; SQLite keeps 32 digits."""
    return str(value if isinstance(value, UUID) else UUID(value))


def json_value(value: Any) -> Any:
    """What a JSON column holds; it arrives as text unless a model has read it."""
    if value == "{}":
        return {}
    return loads(value) if isinstance(value, str) else value


def wire_time(value: datetime | str) -> str:
    """A time of the database as the wire has it, without a detour where its text says the same."""
    if isinstance(value, str):
        if value[_LENGTH:] == "+00":
            return f"{value[:10]}T{value[11:_LENGTH]}Z"
        value = datetime.fromisoformat(value)
    if value.tzinfo is UTC or (value.tzinfo is None and settings.USE_TZ):
        return value.isoformat(timespec="microseconds")[:_LENGTH] + "Z"
    return rfc3339(value)
