"""Simple statements from structured pieces: a model, names of columns, conditions with their values.

What calls this holds no SQL text and handles plain rows, a fraction of the cost of model instances.
Statements that are tuned by hand use `Database.rows` and `execute` with fragments of the dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from django.db import connections, router
from django.db.models import Model

from django_stream.database.conditions import Column, Condition
from django_stream.database.dialect import Fragment
from django_stream.database.transactions import database_to_read
from django_stream.database.vendors import dialect_of

Row: TypeAlias = tuple[Any, ...]
Source: TypeAlias = type[Model] | str
"""A model, or the text of a FROM clause without values."""


class Database:
    """One database with its dialect. Conditions of a statement hold together."""

    __slots__ = ("connection", "dialect")

    def __init__(self, using: str) -> None:
        self.connection = connections[using]
        self.dialect = dialect_of(self.connection)

    @classmethod
    def to_read(cls, model: type[Model]) -> Database:
        """As `transactions.database_to_read` names it."""
        return cls(database_to_read(model))

    @classmethod
    def to_write(cls, model: type[Model]) -> Database:
        return cls(router.db_for_write(model))

    @property
    def alias(self) -> str:
        return self.connection.alias

    def execute(self, sql: str, params: Iterable[Any] = ()) -> int:
        """Run a statement; the number of rows that it touched."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.dialect.spelled(sql), list(params))
            return int(cursor.rowcount)

    def rows(self, sql: str, params: Iterable[Any] = ()) -> list[Row]:
        """Run a statement that answers with rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.dialect.spelled(sql), list(params))
            found = cursor.fetchall()
            return found if isinstance(found, list) else list(found)  # drivers of MariaDB give tuples

    def rows_until(self, enough: Callable[[Row], bool], sql: str, params: Iterable[Any] = ()) -> list[Row]:
        """The rows of a statement up to the first with which it is enough."""
        found: list[Row] = []
        with self.connection.cursor() as cursor:
            cursor.execute(self.dialect.spelled(sql), list(params))
            for row in cursor:
                found.append(row)
                if enough(row):
                    break
        return found

    def columns(self, columns: Iterable[Column]) -> str:
        """A SELECT list."""
        dialect = self.dialect
        return ", ".join(dialect.name(one) if isinstance(one, str) else one(dialect) for one in columns)

    def where(self, *conditions: Condition) -> Fragment:
        """The conditions with AND between them; at least one."""
        made = [one if isinstance(one, Fragment) else one(self.dialect) for one in conditions]
        return Fragment(
            " AND ".join(one.text for one in made), [value for one in made for value in one.params]
        )

    def query(
        self, source: Source, columns: Sequence[Column], *conditions: Condition, alias: str = ""
    ) -> Fragment:
        """A SELECT, to be run or to stand inside another statement."""
        where = self.where(*conditions)
        table = source if isinstance(source, str) else f"{self.dialect.table(source)} {alias}".rstrip()
        return Fragment(f"SELECT {self.columns(columns)} FROM {table} WHERE {where.text}", where.params)

    def select(
        self, source: Source, columns: Sequence[Column], *conditions: Condition, alias: str = ""
    ) -> list[Row]:
        """The rows that meet the conditions, in no order."""
        return self.rows(*self.query(source, columns, *conditions, alias=alias))

    def walk(
        self,
        model: type[Model],
        columns: Sequence[Column],
        along: Condition,
        order: str,
        part: slice,
        *conditions: Condition,
        other: tuple[type[Model], str],
    ) -> list[Row]:
        """A part of the rows `r` that meet the conditions, read along an index up to its end.

        The index has the column of `along` and then that of `order`, which may say DESC. Beside each is the
        row `o` of another model whose number stands in a column.
        """
        chosen, where, (model_of_other, key) = self.where(along), self.where(*conditions), other
        dialect = self.dialect
        rows = dialect.in_order(f"{dialect.table(model)} WHERE {chosen.text}", "*", order)
        page = f"ORDER BY {order} LIMIT {part.stop - part.start:d} OFFSET {part.start:d}"
        text = (
            f"SELECT {self.columns(columns)} FROM (SELECT * FROM {rows} WHERE {where.text} {page}) r "
            f"{dialect.look_up(dialect.table(model_of_other), 'o', f'o.id = r.{key}')}"
        )
        return self.rows(text, [*chosen.params, *where.params])

    def counted(
        self, model: type[Model], along: Condition, order: str, most: int, *conditions: Condition
    ) -> int:
        """How many rows meet the conditions, up to `most`; read like those of `walk`.

        What only another index has as its condition is no part of `along`: that one would be read for it.
        """
        chosen, where = self.where(along), self.where(*(conditions or (Fragment("1 = 1"),)))
        rows = self.dialect.in_order(f"{self.dialect.table(model)} WHERE {chosen.text}", "*", order)
        text = f"SELECT count(*) FROM (SELECT 1 FROM {rows} WHERE {where.text} LIMIT {most:d}) some_rows"
        [[number]] = self.rows(text, [*chosen.params, *where.params])
        return int(number)

    def locked(
        self,
        model: type[Model],
        columns: Sequence[Column],
        order: Sequence[str],
        *conditions: Condition,
        strength: str = "UPDATE",
    ) -> list[Row]:
        """The rows that meet the conditions, locked in this order until the transaction ends."""
        query = self.query(model, columns, *conditions)
        ordered = ", ".join(map(self.dialect.name, order))
        return self.rows(f"{query.text} ORDER BY {ordered}{self.dialect.lock(strength)}", query.params)

    def locked_first(
        self,
        source: Source,
        columns: Sequence[Column],
        order: Sequence[str],
        limit: int,
        *conditions: Condition,
        alias: str = "",
    ) -> list[Row]:
        """The first rows that meet the conditions, without those that others have locked.

        Where the database can not pass over these, nothing is locked.
        """
        query = self.query(source, columns, *conditions, alias=alias)
        ordered = ", ".join(map(self.dialect.name, order))
        text = f"{query.text} ORDER BY {ordered} LIMIT {limit:d}{self.dialect.lock_free()}"
        return self.rows(text, query.params)

    def first_by_flag(
        self,
        model: type[Model],
        columns: Sequence[str],
        flag: tuple[str, Sequence[bool]],
        order: Sequence[str],
        limit: int,
        *conditions: Condition,
        lock: bool = False,
    ) -> list[Row]:
        """The first rows `e` that meet the conditions: those whose flag is false go before the others.

        `flag` is a column with the values that are wanted, and begins an index that goes on with the order.
        With `lock`, they are locked like those of `locked_first`.
        """
        name = self.dialect.name
        chosen = ", ".join(name(f"e.{one}") for one in columns)
        where, (column, wanted) = self.where(*conditions), flag
        made = self.dialect.first_by_flag(
            Fragment(f"SELECT {chosen} FROM {self.dialect.table(model)} e WHERE {where.text}", where.params),
            (name(f"e.{column}"), wanted),
            ", ".join(name(f"e.{one}") for one in order),
            limit,
            self.dialect.lock_free() if lock else "",
        )
        return self.rows(*made)

    def exists(self, source: Source, *conditions: Condition, alias: str = "") -> bool:
        """Whether a row meets the conditions."""
        query = self.query(source, [lambda dialect: "1"], *conditions, alias=alias)
        return bool(self.rows(f"{query.text} LIMIT 1", query.params))

    def update(self, model: type[Model], changes: Mapping[str, Any], *conditions: Condition) -> int:
        """Set columns to values; the number of rows that it touched."""
        where = self.where(*conditions)
        changed = ", ".join(f"{self.dialect.name(column)} = %s" for column in changes)
        text = f"UPDATE {self.dialect.table(model)} SET {changed} WHERE {where.text}"
        return self.execute(text, [*self.dialect.params(changes.values()), *where.params])

    def updated(
        self,
        model: type[Model],
        changes: Mapping[str, Any],
        columns: Sequence[Column],
        *conditions: Condition,
    ) -> list[Row] | None:
        """Likewise; these columns of the rows that it touched. None where an UPDATE does not tell them."""
        if not self.dialect.answers_updates:
            return None
        where = self.where(*conditions)
        changed = ", ".join(f"{self.dialect.name(column)} = %s" for column in changes)
        text = f"UPDATE {self.dialect.table(model)} SET {changed} WHERE {where.text}"
        params = [*self.dialect.params(changes.values()), *where.params]
        return self.rows(f"{text} RETURNING {self.columns(columns)}", params)

    def increase(self, model: type[Model], column: str, step: int, *conditions: Condition) -> int:
        """Add to a column; the number of rows that it touched."""
        where, name = self.where(*conditions), self.dialect.name(column)
        text = f"UPDATE {self.dialect.table(model)} SET {name} = {name} + %s WHERE {where.text}"
        return self.execute(text, [step, *where.params])

    def delete(self, model: type[Model], *conditions: Condition, last_first: bool = False) -> int:
        """Delete rows without looking for what refers to them; how many.

        `last_first`: rows refer to others among them that have lower ids.
        """
        where, order = self.where(*conditions), self.dialect.last_first if last_first else ""
        text = f"DELETE FROM {self.dialect.table(model)} WHERE {where.text}{order}"
        return self.execute(text, where.params)

    def take(self, model: type[Model], columns: Sequence[Column], *conditions: Condition) -> list[Row]:
        """Delete rows likewise; these columns of those that it deleted."""
        where = self.where(*conditions)
        text = f"DELETE FROM {self.dialect.table(model)} WHERE {where.text} RETURNING {self.columns(columns)}"
        return self.rows(text, where.params)

    def add_to_counter(self, model: type[Model], key: Mapping[str, Any], counter: str, step: int) -> None:
        """Add to a counter, which begins at 0.

        The database adds: of many at once, each finds what the one before it left. The columns of `key`
        are those of a unique constraint.
        """
        table, name = self.dialect.table(model), self.dialect.name
        unique, count = ", ".join(map(name, key)), name(counter)
        self.execute(
            f"INSERT INTO {table} ({unique}, {count}) VALUES ({', '.join(['%s'] * len(key))}, %s) "
            f"ON CONFLICT ({unique}) DO UPDATE SET {count} = {table}.{count} + excluded.{count}",
            [*self.dialect.params(key.values()), step],
        )
