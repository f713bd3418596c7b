"""Conditions and columns of statements, made for whatever database a statement runs on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from django.db.models import Model

from django_stream.database.dialect import Dialect, Fragment, placeholders

Column: TypeAlias = str | Callable[[Dialect], str]
"""A name, or an expression such as `time_text("created_at")`."""
Made: TypeAlias = Callable[[Dialect], Fragment]
Condition: TypeAlias = Fragment | Made
"""SQL with its parameters, or what `equal("id", 7)` and its like make for a database."""


def equal(column: str, value: Any) -> Condition:
    return lambda dialect: Fragment(f"{dialect.name(column)} = %s", [dialect.param(value)])


def in_list(column: str, values: Collection[Any]) -> Condition:
    """The column is one of the values, each a parameter: where the number of values should shape the plan."""
    return lambda dialect: Fragment(
        f"{dialect.name(column)} IN {placeholders(values)}", dialect.params(values)
    )


def in_query(column: str, query: Fragment) -> Condition:
    """The column is in the only column of a query."""
    return lambda dialect: dialect.in_rows(column, query)


def one_of(column: str, values: Collection[Any], *, uuids: bool = False) -> Condition:
    """The column is one of the values; UUIDs may be given as text."""
    return lambda dialect: dialect.one_of(column, values, uuids=uuids)


def rows_among(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Made:
    """These columns together are one of the rows; columns by name with the types of `Dialect.given`."""
    return lambda dialect: dialect.rows_among(columns, rows)


def rows_among_those(
    whose: str, value: int, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]
) -> Condition:
    """Likewise of the rows that hold a number in the column `whose`: the first of a unique index."""

    def made(dialect: Dialect) -> Fragment:
        if dialect.reads_all_by_a_guess:
            return rows_among({whose: "bigint", **columns}, [[value, *row] for row in rows])(dialect)
        return every(equal(whose, value), rows_among(columns, rows))(dialect)

    return made


def at_most(column: str, value: Any) -> Condition:
    """The column is the value or below it."""
    return lambda dialect: Fragment(f"{dialect.name(column)} <= %s", [dialect.param(value)])


def below(column: str, value: Any) -> Condition:
    """The column is below the value."""
    return lambda dialect: Fragment(f"{dialect.name(column)} < %s", [dialect.param(value)])


def at_least(column: str, value: Any) -> Condition:
    """The column is the value or above it."""
    return lambda dialect: Fragment(f"{dialect.name(column)} >= %s", [dialect.param(value)])


def is_null(column: str) -> Condition:
    return lambda dialect: Fragment(f"{dialect.name(column)} IS NULL")


def is_false(column: str) -> Condition:
    """In the form that partial indexes have."""
    return lambda dialect: Fragment(f"NOT {dialect.name(column)}")


def either(*conditions: Condition) -> Condition:
    """At least one of the conditions holds."""
    return _joined(" OR ", conditions)


def every(*conditions: Condition) -> Made:
    """All of the conditions hold."""
    return _joined(" AND ", conditions)


def negated(condition: Condition) -> Condition:
    """The condition does not hold; its columns are not null."""

    def made(dialect: Dialect) -> Fragment:
        part = condition(dialect) if callable(condition) else condition
        return Fragment(f"NOT ({part.text})", part.params)

    return made


def _joined(word: str, conditions: Sequence[Condition]) -> Made:
    def made(dialect: Dialect) -> Fragment:
        parts = [one(dialect) if callable(one) else one for one in conditions]
        text = word.join(f"({part.text})" for part in parts)
        return Fragment(f"({text})", [value for part in parts for value in part.params])

    return made


def no_row(model: type[Model], matching: Mapping[str, str], *conditions: Condition) -> Condition:
    """The model has no row `c` with these conditions whose columns hold what outer ones do.

    It is looked up for each row, by an index of these columns.
    """

    def made(dialect: Dialect) -> Fragment:
        parts = [one(dialect) if callable(one) else one for one in conditions]
        same = [f"c.{dialect.name(column)} = {dialect.name(outer)}" for column, outer in matching.items()]
        where = " AND ".join([*same, *(part.text for part in parts)])
        text = f"NOT EXISTS (SELECT 1 FROM {dialect.table(model)} c WHERE {where}{dialect.row_by_row})"
        return Fragment(text, [value for part in parts for value in part.params])

    return made


def time_text(column: str) -> Column:
    """A time as text, with its zone where the database knows it."""
    return lambda dialect: dialect.time_text(column)


def if_short(column: str, most: int) -> Column:
    """A JSON column, or None where its text has more characters than this."""
    return lambda dialect: dialect.if_short(column, most)


def uuid_text(column: str) -> Column:
    """A UUID as text: 32 digits on SQLite."""
    return lambda dialect: dialect.uuid_text(column)


def null(dialect: Dialect) -> str:
    """A column of a query that has none where others in the same union do."""
    return "NULL"


def true(dialect: Dialect) -> str:
    """Likewise, where the others have false."""
    return dialect.boolean(True)


def false(dialect: Dialect) -> str:
    return dialect.boolean(False)


def has_rows(model: type[Model], column: str, outer: str) -> Column:
    """Whether a row of the model has in a column what another column of the statement holds."""
    return lambda dialect: (
        f"EXISTS (SELECT 1 FROM {dialect.table(model)} c "
        f"WHERE c.{dialect.name(column)} = {dialect.name(outer)})"
    )


def looked_up(model: type[Model], key: str, column: str, value: Any) -> Condition:
    """Of the row of the model whose id stands in `key`, a column holds the value.

    It is looked up for each row: a database without statistics would begin a join with the model's rows.
    """

    def made(dialect: Dialect) -> Fragment:
        table, name = dialect.table(model), dialect.name
        text = f"(SELECT c.{name(column)} FROM {table} c WHERE c.id = {name(key)}) = %s"
        return Fragment(text, [dialect.param(value)])

    return made


def in_turn(of: str, number: int, *, wait: bool = True) -> Condition:
    """Holds once nobody else has this turn, until the transaction ends: see `Dialect.turn`."""
    return lambda dialect: dialect.turn(of, number, wait=wait)


def union(*queries: Fragment) -> Fragment:
    """The rows of all queries, each once."""
    text = " UNION ".join(query.text for query in queries)
    return Fragment(text, [value for query in queries for value in query.params])
