"""Two connections to PostgreSQL that wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection


def patience(time: str) -> None:
    """How long this connection waits for a lock before it looks for a deadlock, and is its victim."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('deadlock_timeout', %s, false)", [time])


def is_stuck(pids: list[int]) -> bool:
    """Whether the connection that has told its number waits for another one's lock."""
    if not pids:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", pids)
        return bool(cursor.fetchone()[0])


def alone(work: Callable[[], Any], pids: list[int], *, waits: str = "1s") -> Any:
    """Work on a connection of its own, which tells its number first."""
    try:
        patience(waits)
        pids.append(connection.connection.info.backend_pid)
        return work()
    finally:
        connection.close()
