"""Whether others wait for this thread: what has no bound is done elsewhere then, or after the response."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections


class _Request(threading.local):
    """The request that this thread answers, and what is to be called after it.

    A view and its database connections are in one thread, under ASGI too, and so are both signals.
    """

    is_open = False
    is_loop = False

    def __init__(self) -> None:
        self.waiting: dict[Callable[[], object], None] = {}


_request = _Request()


def is_in_request() -> bool:
    """Whether this thread has a request at hand; true until what waits for the response is done."""
    return _request.is_open


def others_wait() -> bool:
    """Whether this thread answers a request, or serves one after the other as in `serving_others`."""
    return _request.is_open or _request.is_loop


@contextmanager
def serving_others() -> Iterator[None]:
    """This thread does one thing after the other for those who wait, and its process goes on for long."""
    before, _request.is_loop = _request.is_loop, True
    try:
        yield
    finally:
        _request.is_loop = before


def call_after_response(function: Callable[[], object]) -> None:
    """Call a function once, when the response to the request at hand has gone out. It must not raise."""
    _request.waiting.setdefault(function)


def _started(**_: Any) -> None:
    _request.is_open = True


def _finished(**_: Any) -> None:
    is_used = bool(_request.waiting)
    while _request.waiting:
        waiting, _request.waiting = _request.waiting, {}
        for function in waiting:
            function()
    _request.is_open = False
    if is_used:
        close_old_connections()  # Django has done so before


request_started.connect(_started, dispatch_uid="django_stream.request_started")
request_finished.connect(_finished, dispatch_uid="django_stream.request_finished")
