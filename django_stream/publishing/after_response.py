"""Drains of a process without workers: on the spot, or once the response to the request at hand is out."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from django_stream.conf import stream_settings
from django_stream.publishing.drain import drain

logger = logging.getLogger("django_stream.publishing")


class _Request(threading.local):
    """The request that this thread answers, and what is to be drained after it.

    A view and its database connections are in one thread, under ASGI too, and so are both signals.
    """

    is_open = False

    def __init__(self) -> None:
        self.waiting: set[tuple[str, bool]] = set()


_request = _Request()


def drain_here(using: str, *, bulk: bool) -> None:
    """Drain in this process, now or after the response, as STREAM_INLINE_DRAIN says. Never raises."""
    if _request.is_open and stream_settings.INLINE_DRAIN == "response":
        _request.waiting.add((using, bulk))
        return
    try:
        # A single change does not wait for what bulk operations left behind.
        drain(using, bulk=bulk)
    except Exception:
        logger.exception("the outbox of %r could not be drained now; its entries wait", using)


def _started(**_: Any) -> None:
    _request.is_open = True


def _finished(**_: Any) -> None:
    _request.is_open = False
    waiting, _request.waiting = _request.waiting, set()
    for using, bulk in sorted(waiting):
        drain_here(using, bulk=bulk)
    if waiting:
        close_old_connections()  # Django has done so before


request_started.connect(_started, dispatch_uid="django_stream.request_started")
request_finished.connect(_finished, dispatch_uid="django_stream.request_finished")
