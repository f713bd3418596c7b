"""A pooler in front of PostgreSQL that hands out connections by transaction, and what must be said of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.database.notifications import own_connection

# Two connections of an idle pool are served by one session at once; of a busy one, soon by changing ones.
_TRIES = 5


def check_pooler(databases: Collection[str] | None = None, **_: Any) -> list[CheckMessage]:
    """What `DATABASES` does not say of the poolers before these databases, which it asks.

    Of one that does not answer it says nothing: others tell that better.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        with suppress(DatabaseError):
            if hands_out_transactions(alias):
                found += _missing(alias)
    return found


def hands_out_transactions(using: str) -> bool:
    """Whether a transaction, or a statement, is answered by whatever session of PostgreSQL is free.

    It takes two connections for a moment: one alone where no pooler is at all.
    """
    if connections[using].vendor != "postgresql":
        return False
    with ExitStack() as opened:
        first = opened.enter_context(own_connection(using))
        before = _session(first)
        if before == getattr(getattr(first.connection, "info", None), "backend_pid", None):
            return False  # PostgreSQL itself gave this connection its number
        second = opened.enter_context(own_connection(using))
        # A session that answers two connections, or one connection that is answered by two sessions.
        return any(_session(second) == before or _session(first) != before for _ in range(_TRIES))


def _session(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (number,) = cursor.fetchone()
    return int(number)


def _missing(alias: str) -> Iterator[CheckMessage]:
    options = connections[alias].settings_dict
    behind = f"The database {alias!r} is behind a pooler that hands out connections by transaction"
    if not options.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield Error(
            f"{behind}, and cursors on the server are on: reading in parts fails, or finds another's rows.",
            hint=f"Set DATABASES[{alias!r}]['DISABLE_SERVER_SIDE_CURSORS'] = True.",
            id="django_stream.E110",
        )
    if options.get("OPTIONS", {}).get("prepare_threshold") is not None:
        yield Warning(
            f"{behind}, and statements are prepared: another session may not know them.",
            hint=f"Take 'prepare_threshold' out of DATABASES[{alias!r}]['OPTIONS'].",
            id="django_stream.W110",
        )
    if not options.get("STREAM_DIRECT"):
        yield Warning(
            f"{behind}, and nothing leads past it: who listens hears nothing, and looks by the clock.",
            hint=f"Set DATABASES[{alias!r}]['STREAM_DIRECT'], such as {{'PORT': 5432}}.",
            id="django_stream.W111",
        )
