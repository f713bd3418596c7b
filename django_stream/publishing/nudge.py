"""Waking a drain: once after each commit, by Celery where it has workers, else on the spot."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from weakref import WeakKeyDictionary

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.conf import stream_settings
from django_stream.publishing.drain import drain
from django_stream.wakeup import has_workers, waker

logger = logging.getLogger("django_stream.publishing")

DRAIN_TASK = "django_stream.drain_outbox"

_held: ContextVar[bool] = ContextVar("django_stream_nudges_held", default=False)
# By connection (and so by thread): which nudges the open transaction needs, for bulk operations or not.
_needed: WeakKeyDictionary[BaseDatabaseWrapper, set[bool]] = WeakKeyDictionary()


@contextmanager
def nudges_held() -> Iterator[None]:
    """Commits made inside wake no drain; their entries wait for the next one."""
    token = _held.set(True)
    try:
        yield
    finally:
        _held.reset(token)


def nudge_on_commit(using: str, *, bulk: bool = False) -> None:
    """Wake a drain when the current transaction commits; many calls make one nudge."""
    connection = connections[using]
    _needed.setdefault(connection, set()).add(bulk)
    # Registered on each call, since the rollback of a savepoint drops the callbacks registered in it.
    # The first callback to run empties the set, and the others find nothing to do.
    transaction.on_commit(partial(_nudge_once, connection), using=using)


def _nudge_once(connection: BaseDatabaseWrapper) -> None:
    needed = _needed.pop(connection, None)
    if needed and not _held.get():
        for bulk in sorted(needed):
            nudge(connection.alias, bulk=bulk)


def nudge(using: str, *, bulk: bool = False) -> None:
    """Wake a drain now. Never raises: entries for which no drain was woken wait for the next one."""
    try:
        if has_workers():
            queue = stream_settings.CELERY_BULK_QUEUE if bulk else stream_settings.CELERY_QUEUE
            waker.send(
                DRAIN_TASK,
                (using, bulk),
                queue=queue,
                countdown=stream_settings.OUTBOX_WINDOW_SECONDS,
            )
        else:
            # A single change does not wait for what bulk operations left behind.
            drain(using, bulk=bulk)
    except Exception:
        logger.exception("the outbox of %r could not be drained now; its entries wait", using)
