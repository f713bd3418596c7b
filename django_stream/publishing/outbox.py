"""Noting changes: one INSERT in the transaction and database of the change, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.db import models, router, transaction
from django.utils import timezone

from django_stream.conf import stream_settings
from django_stream.database.pending_migrations import missing_tables_told
from django_stream.publishing import capture
from django_stream.publishing.entries import insert_entries
from django_stream.publishing.models import OutboxEntry
from django_stream.publishing.nudge import nudge_on_commit
from django_stream.publishing.publisher import Publisher

_CLOCK_SKEW = timedelta(minutes=1)
_EVERY = ""
_paused: ContextVar[frozenset[str]] = ContextVar("django_stream_paused", default=frozenset())
_switched_off: set[str] = set()
"""By `switch_off`, in this process: labels of models, or all of them."""


@dataclass(slots=True)
class _Buffer:
    """Keys by label that are collected until the end of a block, for one database."""

    using: str
    keys: dict[str, set[str]] = field(default_factory=dict)


_buffer: ContextVar[_Buffer | None] = ContextVar("django_stream_buffer", default=None)


@contextmanager
def activities_paused(*models_: type[models.Model]) -> Iterator[None]:
    """A context manager: changes made inside are not published, in this thread or asyncio task only.

    Given models, only theirs are not.

    Rows changed inside stay as the feeds have them until they change again or `republish` is called.
    """
    token = _paused.set(_paused.get() | _labels(models_))
    try:
        yield
    finally:
        _paused.reset(token)


def switch_off(model: type[models.Model] | None = None) -> None:
    """Note no changes of a model, or of any, in this process until `switch_on` is called."""
    _switched_off.update(_labels([model] if model else []))


def switch_on(model: type[models.Model] | None = None) -> None:
    """Undo a `switch_off` of the same model, or the one of all."""
    _switched_off.difference_update(_labels([model] if model else []))


def _labels(models_: Iterable[type[models.Model]]) -> frozenset[str]:
    return frozenset((one._meta.concrete_model or one)._meta.label for one in models_) or frozenset({_EVERY})


def is_paused(label: str = _EVERY) -> bool:
    """Whether changes are not noted: of the model that a publisher's label begins with, or of any."""
    off = _paused.get() | _switched_off
    return stream_settings.DISABLE_MODEL_TRACKING or not off.isdisjoint({_EVERY, label.partition("#")[0]})


def refuse_while_disabled() -> None:
    """ImproperlyConfigured where the settings let nothing be published, and somebody asks for it."""
    if stream_settings.DISABLE_MODEL_TRACKING:
        raise ImproperlyConfigured(
            "STREAM_DISABLE_MODEL_TRACKING is true, so nothing is published: set it to False first"
        )


def note(
    label: str,
    keys: Iterable[str],
    using: str,
    *,
    bulk: bool = False,
    asked: bool = False,
    force: bool = False,
) -> int:
    """Note that these objects changed; returns how many entries were written (0 while paused).

    Where the database notes the changes of these rows itself, nothing is written, but a drain is woken all
    the same; unless somebody `asked`, and nothing changed. With `force` they are sent even if the feeds seem
    to hold them already.
    """
    if is_paused(label):
        return 0
    if not asked and capture.is_captured(label, using):
        nudge_on_commit(using, bulk=bulk)
        return 0
    buffer = _buffer.get()
    if buffer is not None and buffer.using == using:
        buffer.keys.setdefault(label, set()).update(keys)
        return 0
    return _write(label, keys, using, bulk=bulk, force=force)


def left_to_us(publishers: Iterable[Publisher], using: str) -> list[Publisher]:
    """Those whose changes are noted here; for the others, which the database notes, a drain is woken.

    Call it in the transaction of the change.
    """
    publishers = list(publishers)
    ours = [one for one in publishers if not capture.is_captured(one.label, using)]
    if len(ours) < len(publishers) and not is_paused():
        nudge_on_commit(using, bulk=True)
    return ours


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


def saving_in_one_transaction(model: type[models.Model]) -> None:
    """Let rows of a model be saved and noted in one transaction, without one of our mixins.

    Django sends post_save after its own transaction.
    """
    save_base: Any = model.save_base
    if getattr(save_base, "is_noted_together", False):
        return

    @wraps(save_base)
    def save(row: models.Model, *args: Any, **kwargs: Any) -> Any:
        with one_transaction(kwargs.get("using") or router.db_for_write(model, instance=row)):
            return save_base(row, *args, **kwargs)

    save.is_noted_together = True  # type: ignore[attr-defined]
    cast("Any", model).save_base = save


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
    window = stream_settings.OUTBOX_WINDOW_SECONDS
    entry = OutboxEntry(model_label=label, bulk=bulk, due_at=_first_due(window), attempts=int(force))
    with missing_tables_told(using):
        count = insert_entries(entry, keys, using)
    if count:
        first = (label, *keys) if isinstance(keys, list) and len(keys) == 1 and not (bulk or window) else None
        nudge_on_commit(using, bulk=bulk, first=first)
    return count


def _first_due(window: float) -> datetime:
    """At once, also for hosts whose clocks are behind; or when the window for coalescing is over."""
    return timezone.now() + (timedelta(seconds=window) if window else -_CLOCK_SKEW)
