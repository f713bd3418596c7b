"""What databases say differently: the one place that asks for the vendor of a connection.

`Dialect` is standard SQL, enough for the site's half on every database of Django's. PostgreSQL and
SQLite, on which the server runs too, have dialects of their own with shorter statements.

Of a connection's attributes Django documents `vendor` alone. `ops.quote_name` and
`features.has_select_for_update` have no documented counterpart; they are used here and nowhere else,
and tests/db/database/ runs them on every supported Django.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, DateTimeField, F, Field, Func, Model, Q, UUIDField, Value
from django.db.models.expressions import RawSQL

_UUID: Field[Any, Any] = UUIDField()
_TIME: Field[Any, Any] = DateTimeField()


class Fragment(NamedTuple):
    """A piece of SQL text, and the parameters of its placeholders in their order."""

    text: str
    params: Sequence[Any] = ()


def placeholders(values: Collection[Any]) -> str:
    """`(%s, %s)`: an IN list. Where the number of values varies much, `Dialect.one_of` is cheaper."""
    return "(" + ",".join(["%s"] * len(values)) + ")"


class Dialect:
    """Standard SQL for one connection.

    Names of columns are given without quotes, with their table's alias before a dot where they need one.
    """

    __slots__ = ("connection",)

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def name(self, column: str) -> str:
        """A column, quoted."""
        alias, dot, rest = column.rpartition(".")
        return f"{alias}{dot}{self.connection.ops.quote_name(rest)}"

    def table(self, model: type[Model]) -> str:
        """A model's table, quoted."""
        return str(self.connection.ops.quote_name(model._meta.db_table))

    def lock(self, strength: str = "UPDATE") -> str:
        """What locks the rows of a SELECT until the transaction ends; nothing where all writers queue anyway.

        `strength` is UPDATE or SHARE.
        """
        return f" FOR {strength}" if self.connection.features.has_select_for_update else ""

    # Parameters and literals

    def param(self, value: Any) -> Any:
        """A parameter as the driver wants it: UUIDs and times are converted, the rest is left alone."""
        if isinstance(value, UUID):
            return _UUID.get_db_prep_value(value, self.connection)
        if isinstance(value, datetime):
            return _TIME.get_db_prep_value(value, self.connection)
        return value

    def params(self, values: Iterable[Any]) -> list[Any]:
        return [self.param(value) for value in values]

    def boolean(self, value: bool) -> str:
        """A literal."""
        return str(value).upper()

    time_param = "%s"
    """The placeholder of a time inside a SELECT list."""

    # Conditions

    def one_of(self, column: str, values: Collection[Any], *, uuids: bool = False) -> Fragment:
        """The column is one of the values.

        With one parameter where the database has arrays: the same text for any number of values, which is
        parsed and planned once, and databases count placeholders. UUIDs may be given as text.
        """
        given = [self.param(UUID(value) if uuids and isinstance(value, str) else value) for value in values]
        return Fragment(f"{self.name(column)} IN {placeholders(given)}", given)

    def pair_among(self, columns: tuple[str, str], values: Collection[tuple[str, str]]) -> Fragment:
        """Two columns of text together are one of the pairs."""
        one = " AND ".join(f"{self.name(column)} = %s" for column in columns)
        return Fragment(
            f"({' OR '.join([f'({one})'] * len(values))})", [text for pair in values for text in pair]
        )

    def among(self, field: str, values: Collection[Any]) -> Q:
        """Likewise for the ORM: `field__in`, with one parameter where the database has arrays."""
        return Q((f"{field}__in", list(values)))

    # Columns

    def time_text(self, column: str) -> str:
        """A time as text with its zone: no driver makes an object of what goes out as text again."""
        return self.name(column)

    def uuid_text(self, column: str) -> str:
        return self.name(column)

    def json_text(self, column: str, key: str) -> str:
        """The text under a key of a JSON object; null where there is none. The key must hold no quotes."""
        raise self._unsupported()

    def json_array(self, *expressions: str) -> str:
        """Several expressions as one column, the text of a JSON array; times in UTC by `time_in_array`."""
        raise self._unsupported()

    def time_in_array(self, column: str) -> str:
        return self.name(column)

    # Sources of rows

    def rows_of(self, values: Sequence[str]) -> Fragment | None:
        """A source of rows called `given(value)` with one parameter; None where the database has none."""
        return None

    def records_of(self, fields: Sequence[Field[Any, Any]], rows: Sequence[Sequence[Any]]) -> Fragment | None:
        """A source of rows called `given` with the columns of the fields; None where there is none."""
        return None

    def join_some(self, table: str, alias: str, chosen: str, *, inner_alias: str = "x") -> str:
        """What follows JOIN to get, for each row on its left, some rows of a table.

        `chosen` is `FROM table x WHERE .. ORDER BY .. LIMIT ..` and may name what is on the left.
        """
        raise self._unsupported()

    def _unsupported(self) -> NotSupportedError:
        return NotSupportedError(
            f"django_stream.server needs PostgreSQL or SQLite, and {self.connection.alias!r} is"
            f" {self.connection.display_name}"
        )


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


class PostgreSQL(Dialect):
    __slots__ = ()

    # Inside a SELECT list it would be taken for text.
    time_param = "CAST(%s AS timestamptz)"

    def one_of(self, column: str, values: Collection[Any], *, uuids: bool = False) -> Fragment:
        return Fragment(
            f"{self.name(column)} = ANY(%s{'::uuid[]' if uuids else ''})", [_plain(values, uuids)]
        )

    def pair_among(self, columns: tuple[str, str], values: Collection[tuple[str, str]]) -> Fragment:
        text = f"({', '.join(map(self.name, columns))}) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
        return Fragment(text, [[first for first, _ in values], [second for _, second in values]])

    def among(self, field: str, values: Collection[Any]) -> Q:
        return Q(_AnyOf(F(field), Value(list(values))))

    def time_text(self, column: str) -> str:
        return f"CAST({self.name(column)} AS text)"

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

    def join_some(self, table: str, alias: str, chosen: str, *, inner_alias: str = "x") -> str:
        return f"LATERAL (SELECT {inner_alias}.* {chosen}) {alias} ON true"


class SQLite(Dialect):
    __slots__ = ()

    def boolean(self, value: bool) -> str:
        return str(int(value))

    def one_of(self, column: str, values: Collection[Any], *, uuids: bool = False) -> Fragment:
        given = json.dumps(_plain(values, uuids))
        return Fragment(f"{self.name(column)} IN (SELECT value FROM json_each(%s))", [given])

    def pair_among(self, columns: tuple[str, str], values: Collection[tuple[str, str]]) -> Fragment:
        both = "json_extract(value, '$[0]'), json_extract(value, '$[1]')"
        text = f"({', '.join(map(self.name, columns))}) IN (SELECT {both} FROM json_each(%s))"
        return Fragment(text, [json.dumps(list(values))])

    def among(self, field: str, values: Collection[Any]) -> Q:
        return Q((f"{field}__in", RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])))

    def time_text(self, column: str) -> str:
        # Stored without a zone, in UTC where USE_TZ is True.
        return f"{self.name(column)} || '+00'" if settings.USE_TZ else self.name(column)

    def json_text(self, column: str, key: str) -> str:
        return f"json_extract({self.name(column)}, '$.\"{key}\"')"

    def json_array(self, *expressions: str) -> str:
        return f"CAST(json_array({', '.join(expressions)}) AS text)"

    def rows_of(self, values: Sequence[str]) -> Fragment | None:
        return Fragment("json_each(%s) AS given", [json.dumps(values)])

    def join_some(self, table: str, alias: str, chosen: str, *, inner_alias: str = "x") -> str:
        # It has no LATERAL.
        return f"{table} {alias} ON {alias}.id IN (SELECT {inner_alias}.id {chosen})"


_OF_VENDOR: dict[str, type[Dialect]] = {"postgresql": PostgreSQL, "sqlite": SQLite}


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    """The dialect of a connection's database."""
    return _OF_VENDOR.get(connection.vendor, Dialect)(connection)
