"""The base of our commands: a forgotten `migrate` is named, instead of a traceback."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError

from django_stream.database.pending_migrations import remedy


class DatabaseCommand(BaseCommand):
    """A command that works on the tables of the models."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, ProgrammingError) as error:
            for using in _databases(options.get("database")):
                if commands := remedy(using):
                    trouble = str(error).partition("\n")[0]
                    raise CommandError(
                        f"{trouble}: the database is behind the models. Run `{commands}` first."
                    ) from error
            raise


def _databases(option: str | list[str] | None) -> list[str]:
    return [option] if isinstance(option, str) else option or [DEFAULT_DB_ALIAS]
