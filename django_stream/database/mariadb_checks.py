"""System checks of what keeps the feeds exact on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections, router

from django_stream.database.mariadb import OLDEST
from django_stream.database.mariadb_tables import lacking, speaks_mariadb


def register(app: AppConfig, *, takes_turns: bool = False) -> None:
    """Check what the tables of an app need; those that take turns are the server's."""

    def check_tables(databases: Sequence[str] | None = None, **_: Any) -> Iterator[CheckMessage]:
        for using in databases or ():
            yield from _tables(app, using, takes_turns)

    def check_isolation(**_: Any) -> Iterator[CheckMessage]:
        return _isolation(_databases(app))

    checks.register(check_tables, checks.Tags.database)
    if takes_turns:
        checks.register(check_isolation)


def _databases(app: AppConfig) -> set[str]:
    return {router.db_for_write(model) for model in app.get_models()}


def _isolation(databases: set[str]) -> Iterator[CheckMessage]:
    for using in sorted(databases):
        connection = connections[using]
        level = connection.settings_dict.get("OPTIONS", {}).get("isolation_level", "read committed")
        if connection.vendor == "mysql" and str(level).lower() != "read committed":
            yield Error(
                f"The isolation level of the database {using!r} is {level!r}, and feeds need READ COMMITTED.",
                hint="Who waited for a lock must see what the one before it did. Remove isolation_level from "
                f"DATABASES[{using!r}]['OPTIONS']: Django's own default is right.",
                id="django_stream.E120",
            )


def _tables(app: AppConfig, using: str, takes_turns: bool) -> Iterator[CheckMessage]:
    connection = connections[using]
    if connection.vendor != "mysql" or using not in _databases(app):
        return
    try:
        is_known = speaks_mariadb(using)
        missing = list(lacking(list(app.get_models()), using, takes_turns=takes_turns)) if is_known else []
    except DatabaseError:
        return  # other checks name what is wrong
    if not is_known and takes_turns:
        yield Error(
            f"The feeds server does not run on the database {using!r}.",
            hint=f"It needs PostgreSQL, SQLite, or MariaDB from {'.'.join(map(str, OLDEST))} on.",
            id="django_stream.E121",
        )
    if missing:
        yield Warning(
            f"Tables of {app.label!r} in the database {using!r} do not compare texts exactly, or lack "
            f"what makes rows unique: {len(missing)} statements are to be run.",
            hint=f"Run `manage.py migrate --database {using}`, which runs them at its end.",
            id="django_stream.W120",
        )
