"""Waking a drain: once after each commit, by Celery where it is configured, else on the spot."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from weakref import WeakKeyDictionary

from celery import current_app
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.publishing.wakeup import messenger

logger = logging.getLogger("django_stream.publishing")

_held: ContextVar[bool] = ContextVar("django_stream_nudges_held", default=False)
# Per connection (and so per thread): whether the transaction in progress will need a nudge.
_wanted: WeakKeyDictionary[BaseDatabaseWrapper, set[bool]] = WeakKeyDictionary()


@contextmanager
def nudges_held() -> Iterator[None]:
    """Commits made inside wake nobody; their entries wait for the next drain."""
    token = _held.set(True)
    try:
        yield
    finally:
        _held.reset(token)


def nudge_on_commit(using: str, *, bulk: bool = False) -> None:
    """Wake a drain when the current transaction commits; many calls make one nudge."""
    connection = connections[using]
    _wanted.setdefault(connection, set()).add(bulk)
    # Registered each time, since a savepoint's rollback takes its callbacks along. The first to
    # run empties the set, and the others find nothing to do.
    transaction.on_commit(partial(_nudge_once, connection), using=using)


def _nudge_once(connection: BaseDatabaseWrapper) -> None:
    desired = _wanted.pop(connection, None)
    if desired and not _held.get():
        for bulk in sorted(desired):
            nudge(connection.alias, bulk=bulk)


def nudge(using: str, *, bulk: bool = False) -> None:
    """Wake a drain now. Never raises: an entry that nobody was woken for waits for the next drain."""
    try:
        if celery_is_configured() and not current_app.conf.task_always_eager:
            messenger.send(using, bulk=bulk)
        else:
            from django_stream.publishing.drain import drain

            # A single change does not wait for what bulk operations left behind.
            drain(using, bulk=bulk)
    except Exception:
        logger.exception("the outbox of %r could not be drained now; its entries wait", using)


def celery_is_configured() -> bool:
    """Whether the project's Celery app names a broker, or runs tasks eagerly."""
    conf = current_app.conf
    return bool(conf.task_always_eager or conf.broker_url or conf.broker_write_url)
