# ruff: noqa: S608 (only table names of our own models are put into the text)
"""SQL text and parameters that both databases understand, for the hot statements of the store."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, UUIDField

from django_stream.server.models import (
    ActivityGroup,
    ActivityGroupEntry,
    Exclusion,
    Feed,
    Follow,
    Placement,
    TimelineEntry,
)

TIMELINE = TimelineEntry._meta.db_table
PLACEMENT = Placement._meta.db_table
ACTIVITY_GROUP = ActivityGroup._meta.db_table
ENTRY = ActivityGroupEntry._meta.db_table
EXCLUSION = Exclusion._meta.db_table
FOLLOW = Follow._meta.db_table
FEED = Feed._meta.db_table

OWN_WAY = 0
EXCLUDED = -1

# The one rule of following, used by fan-out, copy and rebuild alike.
ADMITS = (
    "p.seq IS NOT NULL AND (p.seq > f.since_seq OR p.key >= f.floor_key) "
    "AND (f.until_seq IS NULL OR p.seq <= f.until_seq)"
)

_UUID = UUIDField()


def reader(model: type[Model] = TimelineEntry) -> BaseDatabaseWrapper:
    return connections[router.db_for_read(model)]


def writer(model: type[Model] = TimelineEntry) -> BaseDatabaseWrapper:
    return connections[router.db_for_write(model)]


def execute(connection: BaseDatabaseWrapper, sql: str, params: Iterable[Any] = ()) -> int:
    """Run a statement; the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return int(cursor.rowcount)


def rows(connection: BaseDatabaseWrapper, sql: str, params: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return cursor.fetchall()  # type: ignore[no-any-return]  # the wrapper's cursor is untyped


def lock_groups(connection: BaseDatabaseWrapper, where: str, params: Iterable[Any]) -> None:
    """Lock groups until the end of the transaction, in the one order that all writers keep."""
    if connection.features.has_select_for_update:
        chosen = f"SELECT id FROM {ACTIVITY_GROUP} WHERE {where} ORDER BY name, feed FOR UPDATE"
        rows(connection, f"SELECT count(*) FROM ({chosen}) locked", params)


def key_param(connection: BaseDatabaseWrapper, key: uuid.UUID) -> Any:
    """A key as this database stores it."""
    return _UUID.get_db_prep_value(key, connection)


def key_params(connection: BaseDatabaseWrapper, keys: Iterable[uuid.UUID]) -> list[Any]:
    return [key_param(connection, key) for key in keys]


def read_key(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


def marks(values: Collection[Any]) -> str:
    """Placeholders of an IN list."""
    return "(" + ",".join(["%s"] * len(values)) + ")"
