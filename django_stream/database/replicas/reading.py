"""What one request reads from where: a replica that has all that its sender wrote, or the primary."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_stream.database.replicas.positions import replica, replicas_of

# Too much is harmless: the request reads from the primary then. A lock for an update is none.
_WRITES = re.compile(
    r"\b(?:INSERT|DELETE|MERGE|TRUNCATE|CALL|CREATE|ALTER|DROP)\b|(?<!FOR )(?<!KEY )\bUPDATE\b", re.IGNORECASE
)


@dataclass
class Reading:
    """One request: which positions its sender has to find, and what it has chosen and written."""

    positions: Mapping[str, int]
    """By primary; where there is none, any replica will do."""
    may_lag: bool = True
    """False for what is about to write: it decides by what is true now."""
    written: set[str] = field(default_factory=set)
    chosen: dict[str, str] = field(default_factory=dict)

    def database(self, primary: str) -> str:
        """Where to read; once chosen, the same to the end, or until the request writes."""
        if not self.may_lag or primary in self.written or connections[primary].in_atomic_block:
            return primary
        if primary not in self.chosen:
            self.chosen[primary] = self._choose(primary)
        return self.chosen[primary]

    def _choose(self, primary: str) -> str:
        position, replicas = self.positions.get(primary, 0), list(replicas_of(primary))
        random.shuffle(replicas)
        return next((alias for alias in replicas if replica(alias).has(position)), primary)


_reading: ContextVar[Reading | None] = ContextVar("django_stream_reading", default=None)


@contextmanager
def reading(one: Reading) -> Iterator[None]:
    """What is read inside may come from replicas."""
    token = _reading.set(one)
    try:
        yield
    finally:
        _reading.reset(token)
        # Tasks that go on have it still.
        one.may_lag = False


def database_for(primary: str) -> str | None:
    """Where to read what belongs to a primary; None outside of requests, which read what is true now."""
    one = _reading.get()
    return None if one is None or not replicas_of(primary) else one.database(primary)


def mark_written(using: str = "default") -> None:
    """Say that the request has changed a database by a statement that does not look like it.

    A function that writes, called by SELECT, is such a statement. The rest of the request reads from the
    primary, and so does its sender until the replicas have what is there now.
    """
    one = _reading.get()
    if one is not None:
        one.written.add(using)


def noticed(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A wrapper of what a connection executes: notes that the request has written."""
    one = _reading.get()
    alias = context["connection"].alias
    if one is not None and alias not in one.written and _WRITES.search(str(sql)):
        one.written.add(alias)
    return execute(sql, params, many, context)


def _watch(sender: Any, connection: BaseDatabaseWrapper, **_: Any) -> None:
    if replicas_of(connection.alias) and noticed not in connection.execute_wrappers:
        # In front: whoever takes off a wrapper of their own takes the last one.
        connection.execute_wrappers.insert(0, noticed)


connection_created.connect(_watch, dispatch_uid="django_stream.replicas")
