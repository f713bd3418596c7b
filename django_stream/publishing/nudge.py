"""Waking a drain: once after each commit, by workers where there are some, else in this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.module_loading import import_string

from django_stream.conf import stream_settings
from django_stream.publishing.publisher import ObjectName
from django_stream.wakeup import has_workers, waker

logger = logging.getLogger("django_stream.publishing")

DRAIN_TASK = "django_stream.drain_outbox"
DRAIN_DJANGO_TASK = "django_stream.django_tasks.drain_outbox"

_BATCHES_PER_TASK = 20
# While no worker takes them, nudges must not pile up for hours: by then the schedule does their work.
_STALE_SECONDS = 900.0

_held: ContextVar[bool] = ContextVar("django_stream_nudges_held", default=False)


@dataclass(slots=True)
class _Commit:
    """The next commit of a connection."""

    asked: int = 0
    """How often a nudge was asked for; what was rolled back since then counts too."""
    nudged: set[bool] = field(default_factory=set)
    """For bulk operations or not: what it has nudged."""


# By connection, and so by thread.
_next_commit: WeakKeyDictionary[BaseDatabaseWrapper, _Commit] = WeakKeyDictionary()


@contextmanager
def nudges_held() -> Iterator[None]:
    """Commits made inside wake no drain; their entries wait for the next one."""
    token = _held.set(True)
    try:
        yield
    finally:
        _held.reset(token)


def nudge_on_commit(using: str, *, bulk: bool = False, first: ObjectName | None = None) -> None:
    """Wake a drain when the current transaction commits; many calls make one nudge.

    `first` is an object that changed: if it is the only one, a drain in this process begins with it.
    """
    connection = connections[using]
    commit = _next_commit.setdefault(connection, _Commit())
    commit.asked += 1
    # Registered on each call, since a rollback drops what was registered in it. So what is to be nudged
    # is known by the callbacks alone: nothing of a rolled back transaction is left for the next one.
    transaction.on_commit(partial(_nudge_once, connection, commit, bulk, first), using=using)


def _nudge_once(
    connection: BaseDatabaseWrapper, commit: _Commit, bulk: bool, first: ObjectName | None
) -> None:
    _next_commit.pop(connection, None)
    if bulk not in commit.nudged:
        commit.nudged.add(bulk)
        if not _held.get():
            nudge(connection.alias, bulk=bulk, first=first if commit.asked == 1 else None)


def nudge(using: str, *, bulk: bool = False, first: ObjectName | None = None) -> None:
    """Wake a drain now. Never raises: entries for which no drain was woken wait for the next one."""
    if stream_settings.WORKERS == "django":
        _enqueue(using, bulk)
    elif has_workers():
        queue = stream_settings.CELERY_BULK_QUEUE if bulk else stream_settings.CELERY_QUEUE
        window = stream_settings.OUTBOX_WINDOW_SECONDS
        waker.send(DRAIN_TASK, (using, bulk), queue=queue, countdown=window, expires=window + _STALE_SECONDS)
    else:
        # With it comes all that publishes, which a process with workers never needs.
        from django_stream.publishing.after_response import drain_here

        drain_here(using, bulk=bulk, first=first)


def _enqueue(using: str, bulk: bool) -> None:
    """By django.tasks, whose backends take a task at once: most of them write it into a table."""
    try:
        task: Any = import_string(DRAIN_DJANGO_TASK)
        window = stream_settings.OUTBOX_WINDOW_SECONDS
        if window and task.get_backend().supports_defer:
            task = task.using(run_after=timezone.now() + timedelta(seconds=window))
        task.enqueue(using, bulk)
    except Exception as error:  # each backend has errors of its own
        logger.error("no task could be enqueued for the outbox of %r; its entries wait: %s", using, error)


def drain_part(using: str, bulk: bool) -> int:
    """The work of one task; returns how many objects were brought up to date.

    A long queue becomes several tasks, so that none meets a time limit and a worker can be stopped.
    """
    from django_stream.publishing.drain import drain

    report = drain(using, bulk=bulk, max_batches=_BATCHES_PER_TASK)
    if report.more:
        nudge(using, bulk=bulk)
    return report.published
