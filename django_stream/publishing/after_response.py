"""Drains of a process without workers: on the spot, or once the response to the request at hand is out."""

from __future__ import annotations

import logging
import threading
from functools import partial

from django_stream.conf import stream_settings
from django_stream.database.requests import call_after_response, is_in_request
from django_stream.publishing.drain import drain
from django_stream.publishing.publisher import ObjectName
from django_stream.wakeup import waker

logger = logging.getLogger("django_stream.publishing")

# A request publishes so many batches. What others left behind, perhaps while the feeds were out of reach,
# is more than one visitor should wait for.
_BATCHES_AT_ONCE = 4


class _Waiting(threading.local):
    """What is to be drained after the request that this thread answers."""

    def __init__(self) -> None:
        self.drains: dict[tuple[str, bool], ObjectName | None] = {}


_waiting = _Waiting()


def drain_here(using: str, *, bulk: bool, first: ObjectName | None = None) -> None:
    """Drain in this process, now or after the response, as STREAM_INLINE_DRAIN says. Never raises.

    `first` is an object that has just changed: the drain begins with it.
    """
    if is_in_request() and stream_settings.INLINE_DRAIN == "response":
        # After several commits, there are several: a batch of all of them is shorter.
        _waiting.drains[using, bulk] = None if (using, bulk) in _waiting.drains else first
        call_after_response(_drain_what_waits)
    else:
        _drain(using, bulk, first)


def _drain_what_waits() -> None:
    drains, _waiting.drains = _waiting.drains, {}
    for using, bulk in sorted(drains):
        _drain(using, bulk, drains[using, bulk])


def _drain(using: str, bulk: bool, first: ObjectName | None) -> None:
    most = _BATCHES_AT_ONCE if is_in_request() else None
    try:
        # A single change does not wait for what bulk operations left behind.
        if drain(using, bulk=bulk, max_batches=most, first=first).more:
            waker.call_in_steps("drain", (using, bulk), partial(_go_on, using, bulk))
    except Exception:
        logger.exception("the outbox of %r could not be drained now; its entries wait", using)


def _go_on(using: str, bulk: bool) -> bool:
    return drain(using, bulk=bulk, max_batches=_BATCHES_AT_ONCE).more
