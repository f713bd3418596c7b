"""HTTP sessions for pages that strangers point to; imported only when one is fetched.

requests-hardened resolves a host once and connects to the address that it checked, so that a
second answer of the DNS changes nothing. Around it: a stricter rule for addresses, and one
deadline for everything that is sent and read.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import requests
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from django_stream.server.opengraph.public_addresses import Rules

_PIECE = 16 * 1024

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """Bound everything that sessions send and read inside the block, headers included."""
    mark = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(mark)


def time_left() -> float:
    """Seconds until the deadline; TimeoutError once it has passed."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the page did not arrive in time")
    return left


def session(rules: Rules) -> requests.Session:
    """A session that connects where the rules allow, and takes nothing from the environment."""
    config = Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=rules.loopback,
        never_redirect=True,
        default_timeout=(1.0, 1.0),
    )
    made: requests.Session = HTTPSession(config)
    # Neither proxies nor passwords.
    made.trust_env = False
    made.mount("http://", _Adapter(rules, secure=False))
    made.mount("https://", _Adapter(rules, secure=True))
    return made


class _Bounded(io.RawIOBase):
    """A socket's stream: a socket's timeout begins anew with every byte, the deadline does not."""

    def __init__(self, raw: Any, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.settimeout(time_left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Bounded(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    """Sends piece by piece: over TLS a socket's timeout begins anew with every one of its records."""

    response_class = _Answer

    def send(self, data: Any) -> None:
        if not isinstance(data, bytes):
            super().send(data)
            return
        for start in range(0, len(data), _PIECE):
            if self.sock is not None:
                self.sock.settimeout(time_left())
            super().send(data[start : start + _PIECE])


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(IPFilterAdapter):  # type: ignore[misc]  # the package ships no types
    def __init__(self, rules: Rules, *, secure: bool) -> None:
        self._rules = rules
        super().__init__(is_https_proto=secure, allow_loopback=rules.loopback)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        # Resolved by now: this is the very address that will be connected to.
        self._rules.check_host(host["host"])
        return host, pool
