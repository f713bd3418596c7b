"""Tables that other packages made, read without importing these packages, and the rows that they refer to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps.registry import Apps
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connections, models

from django_stream.activities.model_references import clean_pk

CHUNK = 2000

Pointer = tuple[Any, Any]
"""The key of a content type, and that of a row as text."""


class NoSuchTable(LookupError):
    """The database does not have the table that an importer reads."""


def read_table(db_table: str, using: str, **fields: models.Field[Any, Any]) -> type[models.Model]:
    """An unmanaged model of a table, with those of the fields that the table has; NoSuchTable without it."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if db_table not in connection.introspection.table_names(cursor):
            raise NoSuchTable(f"the database {using!r} has no table {db_table}")
        there = {one.name for one in connection.introspection.get_table_description(cursor, db_table)}
    # In a registry of its own, so that neither migrations nor content types ever hear of it.
    options = {"app_label": "moving", "apps": Apps(), "managed": False, "db_table": db_table}
    present = {name: field for name, field in fields.items() if (field.db_column or name) in there}
    members = {"__module__": __name__, "Meta": type("Meta", (), options)}
    return type("Row", (models.Model,), members | present)


def json_of(value: Any) -> Any:
    """The value of a column that holds JSON, which not all packages keep in a column for JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def in_steps(rows: models.QuerySet[Any], *order: str) -> Iterator[list[Any]]:
    """The rows, a chunk at a time: by one column or two, of which the last one is unique."""
    rows = rows.order_by(*order)
    last: Any = None
    while chunk := list((rows if last is None else rows.filter(_after(last, order)))[:CHUNK]):
        yield chunk
        last = chunk[-1]


def _after(row: models.Model, order: tuple[str, ...]) -> models.Q:
    first, *rest = order
    value = getattr(row, first)
    later = models.Q(**{f"{first}__gt": value})
    return later | models.Q(**{first: value}) & _after(row, tuple(rest)) if rest else later


def rows_at(pointers: Iterable[Pointer], using: str) -> dict[Pointer, models.Model]:
    """The rows that generic keys point to, by one query for each model; dangling ones are left out."""
    by_type: dict[Any, set[Any]] = defaultdict(set)
    for type_id, object_id in pointers:
        if type_id is not None and object_id is not None:
            by_type[type_id].add(object_id)
    found: dict[Pointer, models.Model] = {}
    for type_id, object_ids in by_type.items():
        if model := _model_of(type_id, using):
            found |= {(type_id, key): row for key, row in rows_of(model, object_ids, using)}
    return found


def _model_of(type_id: Any, using: str) -> Any:
    try:
        return ContentType.objects.db_manager(using).get_for_id(int(type_id)).model_class()
    except (ContentType.DoesNotExist, ValueError, OverflowError):
        return None


def rows_of(model: Any, object_ids: Iterable[Any], using: str) -> Iterator[tuple[Any, models.Model]]:
    """Rows by the keys as they were given; those that are gone are left out."""
    pks = {key: pk for key in object_ids if (pk := clean_pk(model, str(key))) is not None}
    rows = {row.pk: row for row in model._base_manager.using(using).filter(pk__in=list(pks.values()))}
    yield from ((key, rows[pk]) for key, pk in pks.items() if pk in rows)


def users_at(keys: Iterable[Any], using: str) -> dict[str, models.Model]:
    """Users by their keys as text; those that are gone are left out."""
    return {str(user.pk): user for _, user in rows_of(get_user_model(), keys, using)}
