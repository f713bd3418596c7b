"""Two connections to PostgreSQL or MariaDB that wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from django.db import connection


def patience(time: str) -> None:
    """How long this connection waits for a lock before it looks for a deadlock, and is its victim."""
    if connection.vendor == "mysql":  # which looks for one whenever somebody waits
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('deadlock_timeout', %s, false)", [time])


def is_stuck(pids: list[int]) -> bool:
    """Whether the connection that has told its number waits for another one's lock."""
    if not pids:
        return False
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            # Who looks more often than every 0.1 seconds is told what was then.
            Event().wait(0.12)
            cursor.execute(
                "SELECT count(*) FROM information_schema.innodb_trx "
                "WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = %s",
                pids,
            )
        else:
            # Whoever it is: behind PgBouncer a connection does not know its number.
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
            )
        return bool(cursor.fetchone()[0])


def _number() -> int:
    """By which the server knows this connection."""
    if connection.vendor != "mysql":
        return int(connection.connection.info.backend_pid)
    with connection.cursor() as cursor:
        cursor.execute("SELECT connection_id()")
        return int(cursor.fetchone()[0])


def alone(work: Callable[[], Any], pids: list[int], *, waits: str = "1s") -> Any:
    """Work on a connection of its own, which tells its number first."""
    try:
        patience(waits)
        pids.append(_number())
        return work()
    finally:
        connection.close()
