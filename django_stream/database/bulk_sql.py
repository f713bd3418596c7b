"""Statements about many rows at once, each with few parameters: what the outbox does most."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections, models
from django.db.models.constants import OnConflict
from django.db.models.lookups import In, Lookup
from django.db.models.sql.compiler import SQLCompiler

# How a database makes rows of one parameter. Others get ordinary statements.
_ROWS_OF: dict[str, tuple[str, Callable[[Sequence[str]], Any]]] = {
    "postgresql": ("json_array_elements_text(%s) AS given(value)", json.dumps),
    "sqlite": ("json_each(%s) AS given", json.dumps),
}

if TYPE_CHECKING:
    _Lookup = Lookup[bool]
else:
    _Lookup = Lookup


def values_as_rows(values: Sequence[str], using: str) -> tuple[str, Any] | None:
    """A source of rows called `given(value)` and its one parameter; None where the database has none."""
    found = _ROWS_OF.get(connections[using].vendor)
    return (found[0], found[1](values)) if found else None


class Among(_Lookup):
    """An `__in` whose values are one parameter: `Among(F("pk"), ids)` as a filter."""

    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return In(self.lhs, list(self.rhs)).as_sql(compiler, connection)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*params, list(self.rhs)]

    def as_sqlite(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        # Names come from the model, values go as parameters.
        return f"{lhs} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(list(self.rhs))]  # noqa: S608


def insert_keys(
    pattern: models.Model, keys: Sequence[str], using: str, *, ignore_conflicts: bool = False
) -> None:
    """Copies of the pattern, each with its `object_key`: `bulk_create` at a fraction of its cost."""
    connection, model = connections[using], type(pattern)
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    values = [
        keys[0]
        if field.name == "object_key"
        else field.get_db_prep_save(getattr(pattern, field.attname), connection)
        for field in fields
    ]
    if len(keys) == 1:
        rows = f"VALUES ({', '.join(['%s'] * len(values))})"
    elif source := values_as_rows(keys, using):
        own = [field.name == "object_key" for field in fields]
        rows = f"SELECT {', '.join('given.value' if one else '%s' for one in own)} FROM {source[0]}"  # noqa: S608
        if ignore_conflicts:
            # In the database's order, whatever its collation: others who insert some of them wait in line.
            rows += " ORDER BY given.value"
        values = [value for value, one in zip(values, own, strict=True) if not one] + [source[1]]
    else:
        given = {field.attname: getattr(pattern, field.attname) for field in fields}
        copies = (model(**given | {"object_key": key}) for key in keys)
        model._base_manager.using(using).bulk_create(copies, ignore_conflicts=ignore_conflicts)
        return
    quote, ops = connection.ops.quote_name, connection.ops
    on_conflict = OnConflict.IGNORE if ignore_conflicts else None
    columns = ", ".join(quote(field.column or "") for field in fields)
    # Names come from the model, values go as parameters.
    statement = f"{ops.insert_statement(on_conflict=on_conflict)} {quote(model._meta.db_table)} ({columns})"
    suffix = ops.on_conflict_suffix_sql(fields, on_conflict, [], [])
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} {rows} {suffix}", values)


def update_rows(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], using: str
) -> None:
    """What `bulk_update` would do, with one short statement; each row is its id and the named values."""
    if not rows:
        return
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = [field for field in model._meta.concrete_fields if field.name in ("id", *names)]
    fields.sort(key=lambda field: ("id", *names).index(field.name))
    table, columns = quote(model._meta.db_table), [quote(field.name) for field in fields]
    # Names come from the model, values go as parameters.
    if connection.vendor == "postgresql":
        changes = ", ".join(f"{column} = given.{column}" for column in columns[1:])
        types = ", ".join(f"{quote(field.name)} {field.rel_db_type(connection)}" for field in fields)
        source = f"jsonb_to_recordset(%s) AS given ({types})"
        update = f"UPDATE {table} SET {changes} FROM {source} WHERE {table}.id = given.id"  # noqa: S608
        given = [dict(zip(("id", *names), row, strict=True)) for row in rows]
        with connection.cursor() as cursor:
            cursor.execute(update, [json.dumps(given, default=str)])
    else:
        changes = ", ".join(f"{column} = %s" for column in columns[1:])
        # The driver repeats it without parsing it again.
        update = f"UPDATE {table} SET {changes} WHERE id = %s"  # noqa: S608
        prepared = [
            [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]
            for row in rows
        ]
        with connection.cursor() as cursor:
            cursor.executemany(update, [[*values, key] for key, *values in prepared])
