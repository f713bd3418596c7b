"""Noting changes: one INSERT in the transaction and database of the change, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from django_stream.conf import stream_settings
from django_stream.publishing.entries import insert_entries
from django_stream.publishing.models import OutboxEntry
from django_stream.publishing.nudge import nudge_on_commit

_CLOCK_SKEW = timedelta(minutes=1)
_paused: ContextVar[bool] = ContextVar("django_stream_paused", default=False)


@dataclass(slots=True)
class _Buffer:
    """Keys by label that are collected until the end of a block, for one database."""

    using: str
    keys: dict[str, set[str]] = field(default_factory=dict)


_buffer: ContextVar[_Buffer | None] = ContextVar("django_stream_buffer", default=None)


@contextmanager
def activities_paused() -> Iterator[None]:
    """A context manager: changes made inside are not published, in this thread or asyncio task only.

    Rows changed inside stay as the feeds have them until they change again or `republish` is called.
    """
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


def is_paused() -> bool:
    return _paused.get() or stream_settings.DISABLE_MODEL_TRACKING


def note(label: str, keys: Iterable[str], using: str, *, bulk: bool = False, force: bool = False) -> int:
    """Note that these objects changed; returns how many entries were written (0 while paused).

    With `force` they are sent even if the feeds seem to hold them already.
    """
    if is_paused():
        return 0
    buffer = _buffer.get()
    if buffer is not None and buffer.using == using:
        buffer.keys.setdefault(label, set()).update(keys)
        return 0
    return _write(label, keys, using, bulk=bulk, force=force)


@contextmanager
def one_transaction(using: str) -> Iterator[None]:
    """The open transaction, or a new one.

    An open one is used as it is. An atomic block without savepoint would force its rollback on any
    exception, even on one (such as ProtectedError) that the caller catches in order to go on.
    """
    if transaction.get_connection(using).in_atomic_block:
        yield
    else:
        with transaction.atomic(using):
            yield


@contextmanager
def noted_together(using: str) -> Iterator[None]:
    """One transaction that collects its changes and notes them in few INSERTs at its end."""
    if _buffer.get() is not None:
        yield
        return
    buffer = _Buffer(using)
    with one_transaction(using):
        token = _buffer.set(buffer)
        try:
            yield
        finally:
            _buffer.reset(token)
        for label, keys in buffer.keys.items():
            _write(label, sorted(keys), using, bulk=True)


def _write(label: str, keys: Iterable[str], using: str, *, bulk: bool, force: bool = False) -> int:
    # `force` counts as an attempt with unknown outcome, after which the drain sends whatever it finds.
    entry = OutboxEntry(model_label=label, bulk=bulk, due_at=_first_due(), attempts=int(force))
    count = insert_entries(entry, keys, using)
    if count:
        nudge_on_commit(using, bulk=bulk)
    return count


def _first_due() -> datetime:
    """At once, also for hosts whose clocks are behind; or when the window for coalescing is over."""
    window = stream_settings.OUTBOX_WINDOW_SECONDS
    return timezone.now() + (timedelta(seconds=window) if window else -_CLOCK_SKEW)
