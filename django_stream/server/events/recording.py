"""The one way in: actions record events, and each reader gets them before the transaction ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from django_stream.server.events.audit_log import AuditLogReader
from django_stream.server.events.event import Event
from django_stream.server.events.stream_log import StreamLogReader


class Reader(Protocol):
    """Something that keeps events."""

    def wants_events(self) -> bool:
        """False spares building the events."""

    def read(self, events: Sequence[Event]) -> None:
        """Keep these events, one or more, with a number of queries that does not grow with theirs."""


READERS: tuple[Reader, ...] = (AuditLogReader(), StreamLogReader())


def record(events: Iterable[Event]) -> None:
    """Tell the readers what happened; to be called inside the transaction of the change.

    Nothing is read from `events` and no query is made when no reader wants them.
    """
    readers = [reader for reader in READERS if reader.wants_events()]
    if readers and (listed := list(events)):
        for reader in readers:
            reader.read(listed)
