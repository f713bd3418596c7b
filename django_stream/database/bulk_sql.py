"""Statements about many rows at once, each with few parameters: what the outbox does most."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, Q
from django.db.models.expressions import RawSQL

from django_stream.database.batches import batched
from django_stream.database.dialect import Dialect, Fragment, placeholders
from django_stream.database.statements import Row
from django_stream.database.vendors import dialect_of

# Databases bound how many parameters a statement has.
_ROWS_AT_ONCE = 500
_PLAIN: dict[type, type] = {
    models.CharField: str,
    models.TextField: str,
    models.AutoField: int,
    models.BigAutoField: int,
    models.PositiveIntegerField: int,
}


@dataclass(frozen=True, slots=True)
class Upsert:
    """What becomes of a row that is there already."""

    unique: Sequence[str]
    """The columns by which it is recognised."""
    add: Sequence[str] = ()
    """Columns to which the new row's value is added."""
    replace: Sequence[str] = ()
    """Columns that get the new row's value."""
    free: tuple[str, datetime] | None = None
    """Only rows whose column is null or earlier than this moment are changed and answered."""


def among(field: str, values: Collection[Any], using: str) -> Q:
    """`field__in` with one parameter where the database has arrays."""
    return dialect_of(connections[using]).among(field, values)


def among_rows(field: str, rows: models.QuerySet[Any]) -> Q:
    """`field__in` of a queryset of one column; where the database has arrays, that runs before the rest."""
    return dialect_of(connections[rows.db]).among_rows(field, rows)


def reads_all_by_a_guess(using: str) -> bool:
    """Whether, without statistics, the database would rather read a table than find many of its rows."""
    return dialect_of(connections[using]).reads_all_by_a_guess


def rows_among(
    fields: Sequence[Any], rows: Collection[Sequence[Any]], using: str, names: Sequence[str] = ()
) -> Q:
    """These fields together are one of the rows, which may be of texts; `names` are paths to the fields.

    `__in` for each of them would name far more: all rows whose values occur in any of the given ones.
    """
    if not rows:
        return Q(pk__in=[])  # for which the ORM asks nobody
    paths = names or [field.attname for field in fields]
    given = [[field.to_python(value) for field, value in zip(fields, row, strict=True)] for row in rows]
    if len(fields) == 1:
        return Q((f"{paths[0]}__in", [value for (value,) in given]))
    connection = connections[using]
    prepared = [
        [field.get_db_prep_value(value, connection) for field, value in zip(fields, row, strict=True)]
        for row in given
    ]
    return Q(_RowsAmong(*paths, rows=prepared, using=using))


class _RowsAmong(Func):
    """`(a, b) IN ((1, 2), …)`, for which the ORM has no lookup."""

    output_field = models.BooleanField()

    def __init__(self, *columns: str, rows: Sequence[Sequence[Any]], using: str) -> None:
        super().__init__(*columns)
        self._dialect, self._rows = dialect_of(connections[using]), rows

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper, *args: Any, **extra: Any) -> Any:
        columns = ", ".join(compiler.compile(column)[0] for column in self.get_source_expressions())
        listed = self._dialect.row_list(self._rows)
        return f"({columns}) IN ({listed.text})", list(listed.params)


def conflicts_on(fields: Sequence[str], using: str) -> dict[str, Any]:
    """Options of `bulk_create`: rows are changed that are the same in these fields, a unique constraint's."""
    named = fields if dialect_of(connections[using]).names_conflicts else None
    return {"update_conflicts": True, "unique_fields": named}


def conflicting_on(model: type[models.Model], options: dict[str, Any], using: str) -> Sequence[Sequence[str]]:
    """The sets of fields by which `bulk_create` with these options recognises rows that it changes.

    Where the database cannot be told one of them, these are all that are unique.
    """
    if not options.get("update_conflicts"):
        return []
    if names := options.get("unique_fields"):
        return [names]
    if dialect_of(connections[using]).names_conflicts:
        return []
    alone = [[field.attname] for field in model._meta.concrete_fields if field.unique]
    together = [one.fields for one in model._meta.total_unique_constraints]
    return [*alone, *together, *model._meta.unique_together]


def row_locks(using: str, **options: Any) -> dict[str, Any]:
    """`no_key` and `of` for `select_for_update`, where the database has them."""
    return dialect_of(connections[using]).row_locks(**options)


def is_filled(field: str) -> Q:
    """The text is not empty, in the words of a partial index with the condition `~Q(field="")`.

    SQLite takes such an index only where the query names its condition, with a literal and no parameter.
    """
    return ~Q((field, RawSQL("''", [])))


def insert_copies(
    pattern: models.Model, varied: str, values: Sequence[str], using: str, *, ignore_conflicts: bool = False
) -> None:
    """Copies of a model instance, one with each value in the field `varied`.

    What `bulk_create` does, at a fraction of its cost.
    """
    dialect, model = dialect_of(connections[using]), type(pattern)
    if dialect.rows_of(()) is None:
        given = {field.attname: getattr(pattern, field.attname) for field in _fields(model)}
        # In one order, others who insert some of the same rows wait in line.
        ordered = sorted(values) if ignore_conflicts else values
        copies = (model(**given | {varied: value}) for value in ordered)
        model._base_manager.using(using).bulk_create(copies, ignore_conflicts=ignore_conflicts)
        return
    insert = _insert(dialect, pattern, varied, values, in_order=ignore_conflicts)
    with dialect.connection.cursor() as cursor:
        suffix = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
        cursor.execute(dialect.spelled(insert.text + suffix), insert.params)


def insert_missing(rows: Sequence[models.Model], returning: str, using: str) -> list[Any]:
    """Insert those rows of one model that break no unique constraint; one column of each that is new.

    `bulk_create` does not tell which were there already.
    """
    dialect, made = dialect_of(connections[using]), []
    for some in batched(rows, _ROWS_AT_ONCE):
        made += dialect.insert_missing(_values(dialect, some), returning)
    return made


def insert_rows(rows: Sequence[models.Model], using: str, upsert: Upsert | None = None) -> None:
    """Insert rows of one model, or change those that are there.

    What `bulk_create` does, at a fraction of its cost; rows get no primary key by it.
    """
    dialect = dialect_of(connections[using])
    for some in batched(rows, _ROWS_AT_ONCE):
        insert = _values(dialect, some)
        changes = _changes(dialect, type(some[0]), upsert) if upsert else Fragment("")
        with dialect.connection.cursor() as cursor:
            text = dialect.spelled(f"{insert.text} {changes.text}")
            cursor.execute(text, [*insert.params, *changes.params])


def _values(dialect: Dialect, rows: Sequence[models.Model]) -> Fragment:
    fields = _fields(type(rows[0]))
    # No database has another form for a text that is one already.
    known = [(field, field.attname, type(field) in (models.CharField, models.TextField)) for field in fields]
    params = [
        value
        if is_text and type(value := getattr(row, name)) is str
        else field.get_db_prep_save(getattr(row, name), dialect.connection)
        for row in rows
        for field, name, is_text in known
    ]
    values = ", ".join([placeholders(fields)] * len(rows))
    return Fragment(f"{_into(dialect, type(rows[0]))} VALUES {values}", params)


def upsert_copies(
    pattern: models.Model,
    varied: str,
    values: Sequence[str],
    using: str,
    *,
    upsert: Upsert,
    returning: Sequence[str],
) -> list[Row] | None:
    """Likewise, or change those that are there; the columns `returning` of all these rows.

    None where the database cannot do all of it in one statement. JSON is answered decoded.
    """
    dialect, model = dialect_of(connections[using]), type(pattern)
    if dialect.rows_of(values) is None:
        return None
    insert = _insert(dialect, pattern, varied, values, in_order=True)
    changes = _changes(dialect, model, upsert)
    answer = ", ".join(map(dialect.name, returning))
    with dialect.connection.cursor() as cursor:
        cursor.execute(f"{insert.text} {changes.text} RETURNING {answer}", [*insert.params, *changes.params])
        found = cursor.fetchall()
    is_json = [isinstance(model._meta.get_field(name), models.JSONField) for name in returning]
    return [
        tuple(json.loads(value) if decode else value for value, decode in zip(row, is_json, strict=True))
        for row in found
    ]


def _insert(
    dialect: Dialect, pattern: models.Model, varied: str, values: Sequence[str], *, in_order: bool
) -> Fragment:
    """In order, others who insert some of the same rows wait in line, whatever the collation."""
    fields = _fields(type(pattern))
    own = {
        field.name: field.get_db_prep_save(getattr(pattern, field.attname), dialect.connection)
        for field in fields
        if field.name != varied
    }
    into = _into(dialect, type(pattern))
    source = dialect.rows_of(values) if len(values) > 1 else None
    if source is None:
        params = [own.get(field.name, values[0]) for field in fields]
        return Fragment(f"{into} VALUES {placeholders(params)}", params)
    chosen = ", ".join("given.value" if field.name == varied else "%s" for field in fields)
    # Without a WHERE, SQLite would read the ON of ON CONFLICT as that of a join.
    text = f"{into} SELECT {chosen} FROM {source.text} WHERE true"
    return Fragment(f"{text} ORDER BY given.value" if in_order else text, [*own.values(), *source.params])


_into_texts: dict[tuple[str, type[models.Model]], str] = {}


def _into(dialect: Dialect, model: type[models.Model]) -> str:
    """Written once for each kind of database, since every tracked save needs it."""
    key = (dialect.connection.vendor, model)
    if key not in _into_texts:
        columns = ", ".join(dialect.name(str(field.column)) for field in _fields(model))
        _into_texts[key] = f"INSERT INTO {dialect.table(model)} ({columns})"
    return _into_texts[key]


def _changes(dialect: Dialect, model: type[models.Model], upsert: Upsert) -> Fragment:
    table = dialect.table(model)
    sums = [f"{column} = {table}.{column} + excluded.{column}" for column in map(dialect.name, upsert.add)]
    values = [f"{column} = excluded.{column}" for column in map(dialect.name, upsert.replace)]
    text = (
        f"ON CONFLICT ({', '.join(map(dialect.name, upsert.unique))}) "
        f"DO UPDATE SET {', '.join(sums + values)}"
    )
    if upsert.free is None:
        return Fragment(text)
    column, moment = dialect.name(upsert.free[0]), dialect.param(upsert.free[1])
    return Fragment(f"{text} WHERE {table}.{column} IS NULL OR {table}.{column} < %s", [moment])


def update_rows(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], using: str
) -> None:
    """What `bulk_update` does, with one short statement; each row is an id and the named fields' values."""
    if not rows:
        return
    dialect = dialect_of(connections[using])
    connection = dialect.connection
    fields = {field.name: field for field in model._meta.concrete_fields}
    chosen = [fields[name] for name in ("id", *names)]
    table, columns = dialect.table(model), [dialect.name(str(field.column)) for field in chosen[1:]]
    with connection.cursor() as cursor:
        if source := dialect.records_of(chosen, rows):
            changes = ", ".join(f"{column} = given.{column}" for column in columns)
            match = _rows_of_ids(dialect, table, rows)
            update = dialect.update_from(table, Fragment(changes), source, match.text)
            cursor.execute(update.text, [*update.params, *match.params])
            return
        ways = [_preparing(field, connection) for field in chosen]
        prepared = [[way(value) for way, value in zip(ways, row, strict=True)] for row in rows]
        changes = ", ".join(f"{column} = %s" for column in columns)
        # The driver repeats it without parsing it again.
        text = f"UPDATE {table} SET {changes} WHERE id = %s"
        cursor.executemany(text, [[*values, key] for key, *values in prepared])


def update_rows_with(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    using: str,
    *,
    condition: tuple[str, Any],
    returning: str,
) -> list[Any] | None:
    """The same, only of rows whose column holds a value; a column of those that were changed.

    None where one statement can not do it.
    """
    dialect = dialect_of(connections[using])
    fields = {field.name: field for field in model._meta.concrete_fields}
    source = dialect.records_of([fields[name] for name in ("id", *names)], rows)
    if source is None or not dialect.answers_updates:
        return None
    table, (column, value) = dialect.table(model), condition
    changes = ", ".join(f"{name} = given.{name}" for name in map(dialect.name, names))
    match = _rows_of_ids(dialect, table, rows)
    ours = f"{match.text} AND {table}.{dialect.name(column)} = %s"
    update = dialect.update_from(table, Fragment(changes), source, ours)
    with dialect.connection.cursor() as cursor:
        text = f"{update.text} RETURNING {table}.{dialect.name(returning)}"
        cursor.execute(text, [*update.params, *match.params, dialect.param(value)])
        return [answer for (answer,) in cursor.fetchall()]


def _rows_of_ids(dialect: Dialect, table: str, rows: Sequence[Sequence[Any]]) -> Fragment:
    """The rows of a table whose ids `given` names.

    PostgreSQL takes `given` for a hundred rows, and without statistics would read all of the table for them.
    """
    same = f"{table}.id = given.id"
    if not dialect.reads_all_by_a_guess:
        return Fragment(same)
    named = dialect.one_of(f"{table}.id", [row[0] for row in rows])
    return Fragment(f"{same} AND {named.text}", named.params)


def _preparing(field: models.Field[Any, Any], connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    """What makes a column's value of a field's: no database has another form for texts and whole numbers."""
    plain = _PLAIN.get(type(field))

    def prepared(value: Any) -> Any:
        return value if type(value) is plain else field.get_db_prep_save(value, connection)

    return prepared


@cache
def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]
