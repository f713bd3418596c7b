"""Transactions that are undone as a whole, and waiting for those of other connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connections, router, transaction
from django.db.models import Model

_GLANCE = 0.02
# Each transaction that has written holds a lock on its own number. Those of other databases do not matter.
_OPEN = (
    "SELECT l.transactionid::text FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted"
    " AND a.datname = current_database() AND l.pid <> pg_backend_pid()"
)

_decides: ContextVar[bool] = ContextVar("django_stream_decides", default=False)
_undone_as_a_whole: ContextVar[str | None] = ContextVar("django_stream_undone_as_a_whole", default=None)


@contextmanager
def undone_as_a_whole(using: str) -> Iterator[None]:
    """A transaction that is undone if anything inside fails, so that no part of it needs a savepoint."""
    token = _undone_as_a_whole.set(using)
    try:
        with transaction.atomic(using=using):
            yield
    finally:
        _undone_as_a_whole.reset(token)


def needs_savepoint(using: str) -> bool:
    """Whether a part of the open transaction may be undone, and the rest committed."""
    return _undone_as_a_whole.get() != using


@contextmanager
def reading_to_write() -> Iterator[None]:
    """What is read inside decides what is written, so no replica is asked, whatever the router says."""
    token = _decides.set(True)
    try:
        yield
    finally:
        _decides.reset(token)


def database_to_read(model: type[Model]) -> str:
    """The one that the router names for reading a model; the primary where something is being changed."""
    primary = router.db_for_write(model)
    if _decides.get() or connections[primary].in_atomic_block:
        return primary
    return router.db_for_read(model)


def wait_for_writers(alias: str, seconds: float) -> bool:
    """Wait until every transaction that has written something by now is over; False after `seconds`.

    To be called outside of transactions. Databases that have one writer at a time are locked for a moment.
    """
    connection = connections[alias]
    if connection.vendor != "postgresql":
        with transaction.atomic(using=alias):
            return True
    never, until = threading.Event(), time.monotonic() + seconds
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        open_now = set(cursor.fetchall())
        while open_now:
            if time.monotonic() > until:
                return False
            never.wait(_GLANCE)
            cursor.execute(_OPEN)
            open_now &= set(cursor.fetchall())
    return True


def is_lost(using: str) -> bool:
    """Whether a transaction is open that can only be undone: nothing more is asked in it."""
    return connections[using].in_atomic_block and transaction.get_rollback(using)
