"""SQL with its parameters, and the dialect that every database understands.

`Dialect` is standard SQL, enough for the site's half on every database of Django's. PostgreSQL, SQLite and
MariaDB, on which the server runs too, have dialects of their own: see `vendors` and `mariadb`.

Of a connection's attributes Django documents `vendor` alone. `ops.quote_name` and
`features.has_select_for_update` have no documented counterpart; they are used here and nowhere else,
and tests/db/database/ runs them on every supported Django.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Field, Model, Q, QuerySet, UUIDField

_UUID: Field[Any, Any] = UUIDField()
_TIME: Field[Any, Any] = DateTimeField()
_quoted: dict[tuple[str, str], str] = {}
"""Names of columns by the kind of database."""


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
        key = (self.connection.vendor, column)
        if (quoted := _quoted.get(key)) is None:
            alias, dot, rest = column.rpartition(".")
            quoted = _quoted[key] = f"{alias}{dot}{self.connection.ops.quote_name(rest)}"
        return quoted

    def table(self, model: type[Model]) -> str:
        """A model's table, quoted."""
        return str(self.connection.ops.quote_name(model._meta.db_table))

    def spelled(self, text: str) -> str:
        """A whole statement in the words of this database, where they differ from those of the others."""
        return text

    def lock(self, strength: str = "UPDATE") -> str:
        """What locks the rows of a SELECT until the transaction ends; nothing where all writers queue anyway.

        `strength` is UPDATE, or NO KEY UPDATE, which PostgreSQL alone has.
        """
        return f" FOR {strength}" if self.connection.features.has_select_for_update else ""

    def lock_free(self) -> str:
        """The same for those of the rows that nobody else has locked; nothing where that can not be said."""
        can = self.connection.features.has_select_for_update_skip_locked
        return " FOR UPDATE SKIP LOCKED" if can else ""

    names_conflicts = True
    """Whether `bulk_create` takes `unique_fields`."""
    answers_updates = False
    """Whether an UPDATE can answer with the rows that it changed."""

    reads_all_by_a_guess = False
    """Whether, without statistics, a condition on one column is taken for one that few rows meet."""

    def row_locks(self, **options: Any) -> dict[str, Any]:
        """Options of `select_for_update` that only spare others to wait, as far as the database has them."""
        return options

    def turn(self, of: str, number: int, *, wait: bool = True) -> Fragment:
        """A condition that holds once nobody else has the turn that these name, until the transaction ends.

        Without `wait` it does not hold while somebody has it. It is decided before the statement locks any
        row, on MariaDB when this is called. Always true where all writers queue anyway.
        """
        return Fragment("1 = 1")

    def claim(self, numbers: Collection[int]) -> None:
        """Let no other node commit who claims one of these numbers before this transaction ends.

        For rows that this has locked: where several nodes take writes, locks hold on one of them alone.
        """

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

    def rows_among(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Fragment:
        """These columns together are one of the rows; columns by name with the types of `given`."""
        given = self.given(columns, rows)
        names = ", ".join(map(self.name, columns))
        wanted = ", ".join(f"given.{self.name(column)}" for column in columns)
        return Fragment(f"({names}) IN (SELECT {wanted} FROM {given.text})", given.params)

    def in_rows(self, column: str, query: Fragment) -> Fragment:
        """The column is in the only column of a query.

        Where the database has arrays the query runs once, before the rest, and an index finds the rows: no
        statistics are needed to choose that.
        """
        return Fragment(f"{self.name(column)} IN ({query.text})", query.params)

    def among(self, field: str, values: Collection[Any]) -> Q:
        """`one_of` for the ORM: `field__in`, with one parameter where the database has arrays."""
        return Q((f"{field}__in", list(values)))

    def among_rows(self, field: str, rows: QuerySet[Any]) -> Q:
        """`in_rows` for the ORM: `field__in` of a queryset of one column."""
        return Q((f"{field}__in", rows))

    def row_list(self, rows: Collection[Sequence[Any]]) -> Fragment:
        """Rows of several values, as what stands in the brackets of an IN."""
        return Fragment(",".join(map(placeholders, rows)), [value for row in rows for value in row])

    # Columns

    def time_text(self, column: str) -> str:
        """A time as text with its zone: no driver makes an object of what goes out as text again."""
        return self.name(column)

    def time_of_text(self, expression: str) -> str:
        """A time given as the text of a parameter made by `param`."""
        return expression

    def uuid_text(self, column: str) -> str:
        return self.name(column)

    def if_short(self, column: str, most: int) -> str:
        """A JSON column, or NULL where its text has more characters than this."""
        name = self.name(column)
        return f"CASE WHEN length({name}) <= {most:d} THEN {name} END"

    def first_bytes(self, rows: str, column: str, order: str, most: int) -> str:
        """The rows of an ordered query up to the one with which a text column has so many bytes.

        Where rows are read one by one there are more, and who reads them stops. There may be a column more.
        """
        size, name = f"octet_length({self.name(column)})", self.name(order)
        ahead = f"sum({size}) OVER (ORDER BY {name}) - {size} AS ahead"
        return f"SELECT * FROM (SELECT s.*, {ahead} FROM ({rows}) s) s WHERE ahead < {most:d} ORDER BY {name}"

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

    def given(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Fragment:
        """A source of rows called `given`: its columns by name with the type of each.

        Types are `bigint`, `boolean`, `text` and `uuid`. The text is the same for any number of rows.
        """
        raise self._unsupported()

    def join_some(self, table: str, alias: str, where: Fragment, order: str, limit: int) -> Fragment:
        """What follows JOIN to get, for each row on its left, some rows of a table: the first by id.

        `where` names its columns by `x`, and may name what is on the left. `order` is ASC or DESC.
        """
        chosen = f"FROM {table} x WHERE {where.text} ORDER BY x.id {order} LIMIT {limit:d}"
        return Fragment(self.join_chosen(table, alias, chosen), where.params)

    def join_chosen(self, table: str, alias: str, chosen: str) -> str:
        """The same for any `FROM table x WHERE .. ORDER BY .. LIMIT ..`, without parameters."""
        raise self._unsupported()

    @staticmethod
    def look_up(table: str, alias: str, match: str) -> str:
        """A LEFT JOIN with the one row of a table that a match by a unique index finds.

        PostgreSQL without statistics takes the rows on its left for thousands, and would read all of the
        table for them.
        """
        return f"LEFT JOIN {table} {alias} ON {match}"

    @staticmethod
    def join_each(table: str, alias: str, match: str, *, order: str = "") -> str:
        """A JOIN with those rows of a table that an index finds for each row on its left.

        PostgreSQL without statistics would read all of the table, likewise. Conditions beside the match are
        looked at afterwards. `order` is what follows in the index, where only some rows will be asked for.
        """
        return f"JOIN {table} {alias} ON {match}"

    @staticmethod
    def in_order(rows: str, columns: str, order: str) -> str:
        """Rows (`table WHERE ..`) as a source that an index gives in this order, as far as they are asked.

        PostgreSQL without statistics takes those of one feed for few, and would read and sort them all.
        """
        return f"(SELECT {columns} FROM {rows}) ordered"

    row_by_row = ""
    """The end of a subquery that is to be run for each row.

    PostgreSQL would make a join of it, and where it expects few of its rows, begin with all of its table.
    """

    def first_by_flag(
        self, rows: Fragment, flag: tuple[str, Sequence[bool]], order: str, limit: int, lock: str
    ) -> Fragment:
        """The first rows of a query, those whose flag is false before the others.

        An index is read by ranges, one for each value, since what is not wanted stands at the end of each.
        """
        column, wanted = flag
        values = ", ".join(map(self.boolean, wanted))
        end = f"ORDER BY {column}, {order} LIMIT {limit:d}{lock}"
        return Fragment(f"{rows.text} AND {column} IN ({values}) {end}", rows.params)

    # Statements

    last_first = ""
    """The order of a DELETE, where references are looked at row by row and not when the statement ends."""

    def insert_missing(self, insert: Fragment, returning: str) -> list[Any]:
        """Insert those rows that break no unique constraint; one column of each that is new."""
        text = f"{insert.text} ON CONFLICT DO NOTHING RETURNING {self.name(returning)}"
        with self.connection.cursor() as cursor:
            cursor.execute(text, insert.params)
            return [value for (value,) in cursor.fetchall()]

    def update_from(self, table: str, changes: Fragment, source: Fragment, match: str) -> Fragment:
        """An UPDATE by the rows of a source; without RETURNING, and with no other condition than `match`."""
        text = f"UPDATE {table} SET {changes.text} FROM {source.text} WHERE {match}"
        return Fragment(text, [*changes.params, *source.params])

    def _unsupported(self) -> NotSupportedError:
        return NotSupportedError(
            "django_stream.server needs PostgreSQL, SQLite or MariaDB from 10.6 on, and"
            f" {self.connection.alias!r} is {self.connection.display_name}"
        )
