"""A real HTTP server on a local port that misbehaves exactly as a test says."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from django_stream.client.http import Waiting

Behaviour = Callable[[socket.socket], None]


@dataclass
class Clock:
    """Time that passes only when somebody says so; sleeping is saying so."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds

    def waiting(self, chance: float = 1.0) -> Waiting:
        return Waiting(lambda: self.now, lambda: self.now, self.sleep, lambda: chance)


@dataclass
class Received:
    """One request as bytes, and on which connection it came."""

    head: bytes
    body: bytes
    connection: int


def answer(status: int = 200, body: bytes = b'{"results": []}', **headers: object) -> Behaviour:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda connection: connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def reset(connection: socket.socket) -> None:
    """Answer with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    """Close without a word."""
    connection.close()


def truncated(connection: socket.socket) -> None:
    """Promise a thousand bytes, send ten."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"results"')
    connection.close()


def dripping(clock: Clock, opening: bytes) -> Behaviour:
    """After the opening, a byte every tenth of a second, for ever."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(opening)
        try:
            while True:
                clock.now += 0.1
                connection.sendall(b" ")
        except OSError:
            connection.close()

    return drip


class ScriptedServer:
    """Answers one request after the other as the script says, the last behaviour again and again."""

    def __init__(self, script: Iterable[Behaviour]) -> None:
        self.script = list(script)
        self.received: list[Received] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Shutting down wakes the threads that wait in accept and recv; closing alone does not.
        for opened in [self._listener, *self._connections]:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(
                target=self._serve, args=(connection, len(self._connections)), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            while (request := _read_request(connection)) is not None:
                with self._lock:
                    self.received.append(Received(*request, number))
                    behave = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                behave(connection)
        except OSError:
            pass
        finally:
            connection.close()


def _read_request(connection: socket.socket) -> tuple[bytes, bytes] | None:
    waiting = b""
    while b"\r\n\r\n" not in waiting:
        if not (block := connection.recv(65536)):
            return None
        waiting += block
    head, _, body = waiting.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    if lines.get(b"transfer-encoding") == b"chunked":
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65536)
    else:
        while len(body) < int(lines.get(b"content-length", 0)):
            body += connection.recv(65536)
    return head, body
