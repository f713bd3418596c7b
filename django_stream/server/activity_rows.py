"""Activities as the hot reads fetch them: plain rows, a third of the cost of model instances."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django_stream.database.conditions import equal, one_of
from django_stream.database.statements import Database
from django_stream.server.content import read_stored
from django_stream.server.models import Activity

loads = read_stored

COLUMNS = ("actor", "verb", "object", "target", "foreign_id", "to", "extra", "is_erased")
SELECTED = ", ".join(f'a."{column}"' for column in COLUMNS)

_UUID_EPOCH = datetime(1582, 10, 15)


class ActivityRow:
    """The fields of an activity, read-only and named as the model's, and `origin` on a feed.

    `origin` is the name (`slug:user_id`) of the followed feed that brought it, None where it was placed.
    """

    __slots__ = (
        "_extra",
        "_key",
        "_to",
        "actor",
        "foreign_id",
        "is_erased",
        "object",
        "origin",
        "target",
        "verb",
    )

    def __init__(self, row: Sequence[Any]) -> None:
        """`row` is the key, COLUMNS and the origin, as the database gives them."""
        (
            self._key,
            self.actor,
            self.verb,
            self.object,
            self.target,
            self.foreign_id,
            self._to,
            self._extra,
            self.is_erased,
            self.origin,
        ) = row

    @property
    def hex(self) -> str:
        """The 32 digits of the sort key."""
        return self._key if isinstance(self._key, str) else str(self._key.hex)

    @property
    def key(self) -> uuid.UUID:
        """The sort key."""
        return uuid.UUID(self._key) if isinstance(self._key, str) else self._key

    @property
    def activity_id(self) -> str:
        return id_text(self.hex)

    @property
    def time(self) -> datetime:
        return moment_of(self.hex).replace(tzinfo=UTC)

    # JSON columns arrive as text, and most are empty.
    @property
    def to(self) -> list[str]:
        return [] if self._to == "[]" else loads(self._to)

    @property
    def extra(self) -> dict[str, Any]:
        return {} if self._extra == "{}" else loads(self._extra)


def by_key(application_id: int, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, ActivityRow]:
    """The activities with these sort keys that exist, erased ones included; without origin."""
    return {row.key: row for row in with_keys(application_id, keys)}


def with_keys(application_id: int, keys: Collection[uuid.UUID | str]) -> list[ActivityRow]:
    """The same in no order, and by keys that may be text."""
    if not keys:
        return []
    columns = [f"a.{column}" for column in ("key", *COLUMNS)]
    chosen = equal("a.application_id", application_id), one_of("a.key", keys, uuids=True)
    found = Database.to_read(Activity).select(Activity, columns, *chosen, alias="a")
    return [ActivityRow([*row, None]) for row in found]


def missing(key: uuid.UUID) -> ActivityRow:
    """An activity that is just being deleted: its actor is None, and its timeline entries will follow it."""
    return ActivityRow([key, *[None] * (len(COLUMNS) + 1)])


def read_key(value: uuid.UUID | str) -> uuid.UUID:
    """A sort key as the database gives it: SQLite keeps 32 digits."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


def id_text(key: str) -> str:
    """The activity id that a key spells: the same digits with the time's low part first."""
    return f"{key[7:15]}-{key[3:7]}-1{key[0:3]}-{key[16:20]}-{key[20:]}"


def time_text(key: str) -> str:
    """The time that a key begins with, as the wire has it."""
    return moment_of(key).isoformat(timespec="microseconds")


def moment_of(key: str) -> datetime:
    """The time that a key begins with: UTC, without a zone."""
    return _UUID_EPOCH + timedelta(microseconds=int(key[:15], 16) // 10)
