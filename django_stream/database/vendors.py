"""What PostgreSQL and SQLite say in their own way, and which dialect a connection's vendor speaks."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from math import prod
from typing import Any
from uuid import UUID
from zlib import crc32

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Field, Func, Q, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL

from django_stream.database.dialect import Dialect, Fragment
from django_stream.database.mariadb import MariaDB, is_mariadb

# A limit that PostgreSQL does not know is taken for a tenth of the rows.
_SOME = f"LIMIT (SELECT {2**62})"


def _plain(values: Collection[Any], uuids: bool) -> list[Any]:
    """UUIDs as 32 digits, which both databases understand."""
    if not uuids:
        return list(values)
    return [value.hex if isinstance(value, UUID) else value.replace("-", "") for value in values]


class _AnyOf(Func):
    """`column = ANY(array)`, for which the ORM has no lookup."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class _ArrayOf(Subquery):
    """`ARRAY(query)`; the ORM's own stands in django.contrib.postgres, which loads the driver."""

    template = "ARRAY(%(subquery)s)"


class PostgreSQL(Dialect):
    __slots__ = ()
    answers_updates = True
    reads_all_by_a_guess = True

    def turn(self, of: str, number: int, *, wait: bool = True) -> Fragment:
        function = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
        # In a query of its own it runs once, and before the rest. Two that share a number only wait in vain.
        text = f"(SELECT {function}(%s::integer, %s::integer)){'::text IS NOT NULL' if wait else ''}"
        return Fragment(text, [crc32(of.encode()) >> 1, number % 2**31])

    # Inside a SELECT list it would be taken for text.
    time_param = "CAST(%s AS timestamptz)"

    def one_of(self, column: str, values: Collection[Any], *, uuids: bool = False) -> Fragment:
        if not values:
            # "None of these" implies the condition of any index, and the smallest would be read through.
            return Fragment("1 = 0")
        return Fragment(
            f"{self.name(column)} = ANY(%s{'::uuid[]' if uuids else ''})", [_plain(values, uuids)]
        )

    def in_rows(self, column: str, query: Fragment) -> Fragment:
        return Fragment(f"{self.name(column)} = ANY(ARRAY({query.text}))", query.params)

    def among(self, field: str, values: Collection[Any]) -> Q:
        if not values:
            return super().among(field, values)
        return Q(_AnyOf(F(field), Value(list(values))))

    def among_rows(self, field: str, rows: QuerySet[Any]) -> Q:
        return Q(_AnyOf(F(field), _ArrayOf(rows)))

    def if_short(self, column: str, most: int) -> str:
        name = self.name(column)
        # The first condition is quick where a value is kept apart, and the second sees through compression
        # (of the same without a change) before the third makes a text. No text is so much shorter than that.
        sizes = (f"pg_column_size({name}) <= {most:d}", f"pg_column_size({name} || '{{}}') <= {8 * most:d}")
        is_short = f"CASE WHEN {' AND '.join(sizes)} THEN length({name}::text) <= {most:d} END"
        return f"CASE WHEN {is_short} THEN {name} END"

    def time_text(self, column: str) -> str:
        return f"CAST({self.name(column)} AS text)"

    def time_of_text(self, expression: str) -> str:
        return f"CAST({expression} AS timestamptz)"

    uuid_text = time_text

    def json_text(self, column: str, key: str) -> str:
        return f"{self.name(column)} ->> '{key}'"

    def json_array(self, *expressions: str) -> str:
        return f"CAST(json_build_array({', '.join(expressions)}) AS text)"

    def time_in_array(self, column: str) -> str:
        return f"{self.name(column)} AT TIME ZONE 'UTC'"

    def rows_of(self, values: Sequence[str]) -> Fragment | None:
        return Fragment("json_array_elements_text(%s) AS given(value)", [json.dumps(values)])

    def records_of(self, fields: Sequence[Field[Any, Any]], rows: Sequence[Sequence[Any]]) -> Fragment | None:
        names = [str(field.column) for field in fields]
        types = ", ".join(
            f"{self.name(name)} {field.rel_db_type(self.connection)}"
            for name, field in zip(names, fields, strict=True)
        )
        given = [dict(zip(names, row, strict=True)) for row in rows]
        return Fragment(f"jsonb_to_recordset(%s) AS given ({types})", [json.dumps(given, default=str)])

    def given(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Fragment:
        # Behind a SELECT, the planner does not see how many there are, and leaves it to the indexes.
        arrays = ", ".join(f"(SELECT %s::{kind}[])" for kind in columns.values())
        names = ", ".join(map(self.name, columns))
        values = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
        return Fragment(f"unnest({arrays}) AS given ({names})", values)

    def join_chosen(self, table: str, alias: str, chosen: str) -> str:
        return f"LATERAL (SELECT x.* {chosen}) {alias} ON true"

    row_by_row = " OFFSET 0"

    def first_by_flag(
        self, rows: Fragment, flag: tuple[str, Sequence[bool]], order: str, limit: int, lock: str
    ) -> Fragment:
        # Each range is a query: of several values it would sort all rows. The limit is not known, as above.
        column, wanted = flag
        ranges = " UNION ALL ".join(
            f"SELECT * FROM ({rows.text} AND {column} = {self.boolean(value)} "
            f"ORDER BY {order} LIMIT (SELECT {limit:d}){lock}) of_{self.boolean(value)}"
            for value in wanted
        )
        return Fragment(f"{ranges} LIMIT {limit:d}", [*rows.params] * len(wanted))

    @staticmethod
    def look_up(table: str, alias: str, match: str) -> str:
        row = f"SELECT {alias}.* FROM {table} {alias} WHERE {match} LIMIT 1"
        return f"LEFT JOIN LATERAL ({row}) {alias} ON true"

    @staticmethod
    def join_each(table: str, alias: str, match: str, *, order: str = "") -> str:
        end = f"ORDER BY {order} {_SOME}" if order else "OFFSET 0"
        return f"JOIN LATERAL (SELECT {alias}.* FROM {table} {alias} WHERE {match} {end}) {alias} ON true"

    @staticmethod
    def in_order(rows: str, columns: str, order: str) -> str:
        return f"(SELECT {columns} FROM {rows} ORDER BY {order} {_SOME}) ordered"


class SQLite(Dialect):
    __slots__ = ()
    answers_updates = True

    def boolean(self, value: bool) -> str:
        return str(int(value))

    def one_of(self, column: str, values: Collection[Any], *, uuids: bool = False) -> Fragment:
        given = json.dumps(_plain(values, uuids))
        return Fragment(f"{self.name(column)} IN (SELECT value FROM json_each(%s))", [given])

    def rows_among(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Fragment:
        # Of several columns it looks for the first alone. Where rows are about all that their values make, as
        # activities of one feed are, each column is named by itself, too.
        together = super().rows_among(columns, rows)
        values = [list(dict.fromkeys(column)) for column in zip(*rows, strict=True)]
        if prod(map(len, values)) > 2 * len(rows):
            return together
        alone = [
            self.one_of(column, some, uuids=kind == "uuid")
            for (column, kind), some in zip(columns.items(), values, strict=True)
        ]
        parts = [*alone, together]
        return Fragment(
            " AND ".join(one.text for one in parts), [param for one in parts for param in one.params]
        )

    def among(self, field: str, values: Collection[Any]) -> Q:
        return Q((f"{field}__in", RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])))

    def row_list(self, rows: Collection[Sequence[Any]]) -> Fragment:
        listed = super().row_list(rows)
        # Of several VALUES, which it knows here, it takes no index but behind a SELECT.
        return Fragment(f"SELECT * FROM (VALUES {listed.text})", listed.params)

    def time_text(self, column: str) -> str:
        # Stored without a zone, in UTC where USE_TZ is True.
        return f"{self.name(column)} || '+00'" if settings.USE_TZ else self.name(column)

    def json_text(self, column: str, key: str) -> str:
        return f"json_extract({self.name(column)}, '$.\"{key}\"')"

    def json_array(self, *expressions: str) -> str:
        return f"CAST(json_array({', '.join(expressions)}) AS text)"

    def rows_of(self, values: Sequence[str]) -> Fragment | None:
        return Fragment("json_each(%s) AS given", [json.dumps(values)])

    def first_bytes(self, rows: str, column: str, order: str, most: int) -> str:
        return rows  # each is made when it is fetched

    def given(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Fragment:
        chosen = ", ".join(
            f"json_extract(value, '$[{place}]') AS {self.name(column)}"
            for place, column in enumerate(columns)
        )
        prepared = [[value.hex if isinstance(value, UUID) else value for value in row] for row in rows]
        return Fragment(f"(SELECT {chosen} FROM json_each(%s)) AS given", [json.dumps(prepared)])

    def join_chosen(self, table: str, alias: str, chosen: str) -> str:
        # It has no LATERAL.
        return f"{table} {alias} ON {alias}.id IN (SELECT x.id {chosen})"


_OF_VENDOR: dict[str, type[Dialect]] = {"postgresql": PostgreSQL, "sqlite": SQLite}


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    """The dialect of a connection's database."""
    if connection.vendor == "mysql" and is_mariadb(connection):
        return MariaDB(connection)
    return _OF_VENDOR.get(connection.vendor, Dialect)(connection)
