"""Noting changes: one INSERT in the transaction and database of the change, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.utils import timezone

from django_stream.conf import stream_settings
from django_stream.database.bulk_sql import insert_copies
from django_stream.publishing.models import OutboxEntry
from django_stream.publishing.nudge import nudge_on_commit

_BATCH = 1000
_CLOCK_SKEW = timedelta(minutes=1)
_paused: ContextVar[bool] = ContextVar("django_stream_paused", default=False)


@dataclass(slots=True)
class _Buffer:
    """Keys by label that wait for the end of a block; those of other databases do not."""

    using: str
    keys: dict[str, set[str]] = field(default_factory=dict)


_buffer: ContextVar[_Buffer | None] = ContextVar("django_stream_buffer", default=None)


@contextmanager
def activities_paused() -> Iterator[None]:
    """Changes made inside are not published; holds for this thread or task only."""
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
    """The open transaction, or one of its own.

    Inside an open one nothing is added: an atomic block without savepoint would doom it on every
    exception that passes, and whoever catches a ProtectedError means to go on.
    """
    if transaction.get_connection(using).in_atomic_block:
        yield
    else:
        with transaction.atomic(using):
            yield


@contextmanager
def noted_together(using: str) -> Iterator[None]:
    """One transaction whose many changes are noted in few INSERTs, at its end."""
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
    # An attempt with unknown outcome: the drain then trusts nothing that it knows of these objects.
    entry = OutboxEntry(model_label=label, bulk=bulk, due_at=_first_due(), attempts=int(force))
    count = insert_entries(entry, keys, using)
    if count:
        nudge_on_commit(using, bulk=bulk)
    return count


def insert_entries(pattern: OutboxEntry, keys: Iterable[str], using: str) -> int:
    """Entries like the pattern for any number of objects, and nobody is woken for them; how many."""
    # SQLite alone stores a NUL, and its JSON ends there: nothing could ever find such a row again.
    remaining, count = (key for key in keys if "\0" not in key), 0
    while batch := list(islice(remaining, _BATCH)):
        insert_copies(pattern, "object_key", batch, using)
        count += len(batch)
    return count


def _first_due() -> datetime:
    """At once, for any host whatever its clock; or when the window for coalescing is over."""
    window = stream_settings.OUTBOX_WINDOW_SECONDS
    return timezone.now() + (timedelta(seconds=window) if window else -_CLOCK_SKEW)
