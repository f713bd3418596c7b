"""How far databases are: the position of a primary's log, and what a replica has of it.

A position is the number of bytes that the log had when it was asked for. What was committed before can be
read wherever that position has been replayed.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import cache

from django.db import Error, connections

logger = logging.getLogger("django_stream.database")

# For so many seconds, a replica that was out of reach is not asked again.
_AWAY_SECONDS = 1.0
_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
# What is no replica, in the settings of a developer for instance, has everything.
_REPLAYED = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint END"
)
EVERYTHING = 2**63 - 1
"""Further than any log."""


@cache
def replicas_of(primary: str) -> tuple[str, ...]:
    """The databases whose `STREAM_REPLICA_OF` names this one."""
    return tuple(alias for alias in connections if primary_of(alias) == primary)


@cache
def primaries() -> tuple[str, ...]:
    """The databases that have replicas."""
    return tuple(dict.fromkeys(filter(None, map(primary_of, connections))))


def primary_of(alias: str) -> str | None:
    """The database that this one is a replica of; None if it is none."""
    primary: str | None = connections.settings[alias].get("STREAM_REPLICA_OF")
    return primary


def written(primary: str) -> int:
    """The position after what this thread has committed last."""
    with connections[primary].cursor() as cursor:
        cursor.execute(_WRITTEN)
        position: int = cursor.fetchone()[0]
        return position


class Replica:
    """What this process knows of a replica; of several threads."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._is_away_until = 0.0
        self._asking: dict[int, float] = {}
        """By thread, since when."""

    def has(self, position: int) -> bool:
        """Whether what was written up to a position can be read there. Never raises.

        It is asked each time: a page that begins to read from what has gone away would fail.
        """
        now, me = time.monotonic(), threading.get_ident()
        # One that does not answer at all holds up those who ask it already, and nobody else.
        if now < self._is_away_until or any(
            now - since > _AWAY_SECONDS for since in list(self._asking.values())
        ):
            return False
        connection = connections[self.alias]
        self._asking[me] = now
        try:
            with connection.cursor() as cursor:
                cursor.execute(_REPLAYED)
                (replayed,) = cursor.fetchone()
        except Error as error:
            self._is_away_until = time.monotonic() + _AWAY_SECONDS
            logger.warning("the replica %r is not read from: %s", self.alias, error)
            connection.close()
            return False
        finally:
            del self._asking[me]
        return replayed is None or replayed >= position


@cache
def replica(alias: str) -> Replica:
    """The one of this process."""
    return Replica(alias)
