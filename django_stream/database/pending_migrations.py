"""Whether the tables are as the models want them; in a fresh database `migrate` is easily forgotten."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError

_MIGRATE = "python manage.py migrate"


def remedy(using: str = DEFAULT_DB_ALIAS) -> str | None:
    """The commands that bring the tables up to the models; None where that is not what is missing."""
    migrate = _MIGRATE if using == DEFAULT_DB_ALIAS else f"{_MIGRATE} --database {using}"
    try:
        if _fails("makemigrations", check_changes=True, dry_run=True):
            return f"python manage.py makemigrations && {migrate}"
        return migrate if _fails("migrate", check_unapplied=True, database=using) else None
    except DatabaseError:
        # A database that cannot be asked has another problem, which its own error names.
        return None


def _fails(command: str, **options: Any) -> bool:
    """Whether one of Django's own checks exits with an error."""
    try:
        call_command(
            command, **options, interactive=False, skip_checks=True, stdout=StringIO(), stderr=StringIO()
        )
    except SystemExit as verdict:
        return bool(verdict.code)
    return False
