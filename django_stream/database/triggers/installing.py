"""Bringing the triggers of a database in line with what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from django.db import connections, transaction

from django_stream.database.triggers.base import Trigger, Triggers
from django_stream.database.triggers.mysql import MySQLTriggers
from django_stream.database.triggers.noting import Note, NotedTable
from django_stream.database.triggers.postgresql import PostgreSQLTriggers
from django_stream.database.triggers.sqlite import SQLiteTriggers

_OF_VENDOR: Final[Mapping[str, type[Triggers]]] = {
    "postgresql": PostgreSQLTriggers,
    "sqlite": SQLiteTriggers,
    "mysql": MySQLTriggers,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Triggers that are missing, by name, and those that are there in vain; each with its statements."""

    missing: Mapping[str, list[str]]
    surplus: Mapping[str, list[str]]

    def statements(self) -> Iterator[str]:
        """All of them, in the order in which they are run."""
        for statements in (*self.missing.values(), *self.surplus.values()):
            yield from statements


def supports_triggers(using: str) -> bool:
    return connections[using].vendor in _OF_VENDOR


def names_of(tables: Iterable[tuple[NotedTable, Note]], using: str) -> set[str]:
    """The names of the triggers that these tables need."""
    triggers = _triggers(using)
    return {trigger.name for noted, note in tables for trigger in triggers.wanted(noted, note)}


def installed_names(using: str) -> set[str]:
    """The names of our triggers that are there."""
    return set(_triggers(using).installed())


def difference(tables: Iterable[tuple[NotedTable, Note]], using: str) -> Difference:
    """What stands between the database and these tables' triggers, and no others of ours."""
    triggers = _triggers(using)
    there = triggers.installed()
    wanted: dict[str, Trigger] = {
        trigger.name: trigger for noted, note in tables for trigger in triggers.wanted(noted, note)
    }
    return Difference(
        {name: triggers.create(trigger) for name, trigger in wanted.items() if name not in there},
        {name: [statement] for name, statement in there.items() if name not in wanted},
    )


def apply(found: Difference, using: str) -> None:
    """Create what is missing and drop what is surplus, in one transaction where the database can."""
    with _one_transaction(using), connections[using].cursor() as cursor:
        for statement in found.statements():
            cursor.execute(statement)


def _one_transaction(using: str) -> AbstractContextManager[object]:
    """Where each statement of these commits, a savepoint would be gone before its end."""
    can = connections[using].features.can_rollback_ddl
    return transaction.atomic(using=using) if can else nullcontext()


def _triggers(using: str) -> Triggers:
    connection = connections[using]
    return _OF_VENDOR[connection.vendor](connection)
