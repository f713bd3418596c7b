"""What the databases have in common: the names of triggers, and the INSERT inside."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.database.triggers.noting import Event, KeyColumn, Note, NotedTable, Referring

PREFIX = "django_stream_"
Place = Callable[[str], str]
"""A table as it is named inside a trigger."""


class Trigger(NamedTuple):
    """A trigger by its name, which is another one as soon as its text is."""

    name: str
    noted: NotedTable
    note: Note
    event: Event


class Triggers(ABC):
    """The triggers of one connection's database."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def installed(self) -> dict[str, str]:
        """Names of our triggers that are there and switched on, each with the statement that removes it."""

    @abstractmethod
    def statements(self, trigger: Trigger, place: Place) -> Sequence[str]:
        """What creates a trigger; nothing where the database has no such event."""

    @abstractmethod
    def text(self, column: str, key: KeyColumn) -> str:
        """A column of a key as text."""

    @abstractmethod
    def as_list(self, texts: Sequence[str]) -> str:
        """A JSON list of texts as `json.dumps` writes it without spaces; NULL when one of them is."""

    @abstractmethod
    def moment(self, seconds: float) -> str:
        """So many seconds from now."""

    def wanted(self, noted: NotedTable, note: Note) -> list[Trigger]:
        """The triggers that a table needs."""
        found = []
        for event in noted.events:
            text = self.statements(Trigger("", noted, note, event), self.column)
            if text:
                digest = hashlib.sha256(repr((noted.table, text)).encode()).hexdigest()[:16]
                found.append(Trigger(f"{PREFIX}{event}_{digest}", noted, note, event))
        return found

    def create(self, trigger: Trigger) -> list[str]:
        """The statements that create a trigger here."""
        return list(self.statements(trigger, self.placed))

    def placed(self, table: str) -> str:
        """A table, found whoever asks."""
        return self.column(table)

    def column(self, name: str, of: str = "") -> str:
        """A column, quoted, of the row or table with an alias of ours. There may be a dot in its name."""
        quoted = self.connection.ops.quote_name(name)
        return f"{of}.{quoted}" if of else str(quoted)

    def key(self, noted: NotedTable, row: str) -> str:
        """The key of a row, which has the alias `row`."""
        columns = noted.referring.key if noted.referring else noted.key
        texts = [self.text(self.column(column.name, row), column) for column in columns]
        return self.as_list(texts) if noted.as_list else texts[0]

    def referring(self, referring: Referring, place: Place) -> tuple[str, str]:
        """The rows that refer, with the alias `p`, joined with those on the way; and the last column."""
        joined, column = f"{place(referring.table)} p", self.column(referring.column, "p")
        for number, step in enumerate(referring.steps):
            alias = f"step_{number}"
            joined += f" JOIN {place(step.table)} {alias} ON {self.column(step.key, alias)} = {column}"
            column = self.column(step.column, alias)
        return joined, column

    def insert(self, note: Note, place: Place, keys: str, *, several: str = "", only_if: str = "") -> str:
        """Note the keys of a source of rows, whose only column is `noted_key`."""
        values = {name: self.literal(value) for name, value in note.constants.items()}
        values |= {name: self.moment(seconds) for name, seconds in note.times.items()}
        values |= {note.several: several or self.literal(False), note.key: "noted_key"}
        return (
            f"INSERT INTO {place(note.table)} ({', '.join(map(self.column, values))}) "
            f"SELECT {', '.join(values.values())} FROM ({keys}) changed "
            f"WHERE noted_key IS NOT NULL AND {self.length('noted_key')} <= {note.longest}{only_if}"
        )

    def length(self, text: str) -> str:
        return f"char_length({text})"

    def exists_inside(self, noted: NotedTable, row: str, place: Place) -> str:
        """Whether the row's key stands in the other table."""
        assert noted.inside is not None
        table, column = noted.inside
        own = self.column(noted.key[0].name, row)
        return f"EXISTS (SELECT 1 FROM {place(table)} WHERE {self.column(column)} = {own})"

    def literal(self, value: str | int | bool) -> str:
        """A constant of ours as SQL."""
        return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"

    def rows(self, query: str) -> list[Any]:
        """The answer of the catalogue."""
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


class RowTriggers(Triggers):
    """Databases that call a trigger for each row: OLD and NEW are the row before and after."""

    def dashed(self, column: str) -> list[str]:
        """The five pieces of a UUID that is stored as 32 digits."""
        places = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return [f"SUBSTR({column}, {start}, {size})" for start, size in places]

    def keys(self, noted: NotedTable, event: Event, place: Place) -> str:
        if referring := noted.referring:
            pk = noted.key[0].name
            rows_of = f"({self.column(pk, 'OLD')}, {self.column(pk, 'NEW')})"
            joined, column = self.referring(referring, place)
            return f"SELECT {self.key(noted, 'p')} AS noted_key FROM {joined} WHERE {column} IN {rows_of}"
        rows = {"insert": ["NEW"], "delete": ["OLD"]}.get(event, ["OLD", "NEW"])
        return " UNION ".join(f"SELECT {self.key(noted, row)} AS noted_key" for row in rows)

    def matters(self, noted: NotedTable, event: Event) -> str:
        """The condition under which an update is noted; "" for always."""
        if event != "update" or noted.watched is None:
            return ""
        names = dict.fromkeys([*(column.name for column in noted.key), *noted.watched])
        return " OR ".join(self.differ(self.column(name, "OLD"), self.column(name, "NEW")) for name in names)

    @abstractmethod
    def differ(self, left: str, right: str) -> str:
        """Two values are not the same, and NULL is a value."""

    def row_insert(self, trigger: Trigger, place: Place, condition: str = "") -> str:
        noted, event = trigger.noted, trigger.event
        parts = [condition and f"({condition})"]
        if noted.inside:
            parts.append(self.exists_inside(noted, "OLD" if event == "delete" else "NEW", place))
        only_if = "".join(f" AND {part}" for part in parts if part)
        return self.insert(trigger.note, place, self.keys(noted, event, place), only_if=only_if)
