"""An adapter whose answers end by a deadline, however slowly the bytes drip.

The timeout of a socket starts anew with every byte. Here each read gets what is left of the
time that the whole answer, headers included, may take.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_time_left: ContextVar[Callable[[], float] | None] = ContextVar("time_left", default=None)


@contextmanager
def answers_within(time_left: Callable[[], float]) -> Iterator[None]:
    """Bound all reading from sockets of `DeadlineAdapter` inside the block."""
    mark = _time_left.set(time_left)
    try:
        yield
    finally:
        _time_left.reset(mark)


class _BoundedReader(io.RawIOBase):
    def __init__(self, raw: Any, sock: socket.socket, time_left: Callable[[], float]) -> None:
        self._raw = raw
        self._sock = sock
        self._time_left = time_left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._time_left()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if (time_left := _time_left.get()) is not None:
            self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock, time_left))


class _Connection(HTTPConnection):
    response_class = _BoundedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """requests' own adapter over connections that know the deadline; proxied ones do not."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
