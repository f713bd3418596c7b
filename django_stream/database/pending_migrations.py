"""Whether the tables are as the models want them; in a fresh database `migrate` is easily forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, ProgrammingError

_MIGRATE = "python manage.py migrate"
# In the words of SQLite, PostgreSQL and MySQL.
_NOT_THERE = re.compile(
    r"no such (table|column)|has no column|does not exist|doesn't exist|unknown column", re.I
)


def remedy(using: str = DEFAULT_DB_ALIAS) -> str | None:
    """The commands that bring the tables up to the models; None where that is not what is missing."""
    migrate = migrate_command(using)
    try:
        if _fails("makemigrations", check_changes=True, dry_run=True):
            return f"python manage.py makemigrations && {migrate}"
        return migrate if _fails("migrate", check_unapplied=True, database=using) else None
    except DatabaseError:
        # A database that cannot be asked has another problem, which its own error names.
        return None


@contextmanager
def missing_tables_told(using: str) -> Iterator[None]:
    """Who writes before `migrate` has made the tables is told so, by ImproperlyConfigured."""
    try:
        yield
    except (OperationalError, ProgrammingError) as error:
        if not _NOT_THERE.search(str(error)):
            raise
        # In a transaction that has failed, PostgreSQL cannot be asked what is missing.
        commands = remedy(using) or migrate_command(using)
        raise ImproperlyConfigured(
            f"the change cannot be noted, since the database is behind the models: run `{commands}`"
        ) from error


def migrate_command(using: str) -> str:
    return _MIGRATE if using == DEFAULT_DB_ALIAS else f"{_MIGRATE} --database {using}"


def _fails(command: str, **options: Any) -> bool:
    """Whether one of Django's own checks exits with an error."""
    try:
        call_command(
            command, **options, interactive=False, skip_checks=True, stdout=StringIO(), stderr=StringIO()
        )
    except SystemExit as verdict:
        return bool(verdict.code)
    return False
