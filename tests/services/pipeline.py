"""A bad road to the API: answers of its own, silence, and answers that break off in the middle."""

from __future__ import annotations

import random
from collections import Counter
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

_NOT_PASSED_ON = {"Connection", "Transfer-Encoding", "Keep-Alive", "Date", "Server"}


class BadRoad:
    """Passes requests on to a port of this machine, and spoils some of them."""

    def __init__(self, target: int, *, seed: str, chances: dict[str, float]) -> None:
        self.target = target
        self.chances = chances
        self.spoiled: Counter[str] = Counter()
        self.closing = Event()
        self._dice = random.Random(seed)
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.road = self
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def mend(self) -> None:
        """From now on everything arrives."""
        self.chances = {}

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def next_fate(self) -> str:
        with self._lock:
            fates = [*self.chances, "arrives"]
            (fate,) = self._dice.choices(fates, [*self.chances.values(), 1 - sum(self.chances.values())])
            self.spoiled[fate] += 1
            return fate


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    road: BadRoad

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer goes out in one piece and at once.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: _Server

    def _carry(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fate = self.server.road.next_fate()
        if fate == "500":
            self._answer(500, b'{"detail": "out of order"}')
        elif fate == "429":
            self._answer(429, b'{"detail": "slow down", "code": 9, "status_code": 429}', retry_after="1")
        elif fate == "lost on the way":
            self._say_nothing()
        else:
            self._pass_on(body, fate)

    do_GET = do_POST = do_PUT = do_DELETE = _carry

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the counts tell enough."""

    def _pass_on(self, body: bytes, fate: str) -> None:
        line = HTTPConnection("127.0.0.1", self.server.road.target, timeout=30)
        try:
            line.request(self.command, self.path, body, dict(self.headers))
            answer = line.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self.close_connection = True
            return
        finally:
            line.close()
        if fate == "answer is lost":
            self._say_nothing()
        elif fate == "500 instead of the answer":
            self._answer(500, b'{"detail": "done, but out of order"}')
        else:
            headers = {name: value for name, value in answer.headers.items() if name not in _NOT_PASSED_ON}
            headers["Content-Length"] = str(len(content))
            self._write(answer.status, headers, content, whole=fate != "half an answer")

    def _answer(self, status: int, content: bytes, *, retry_after: str | None = None) -> None:
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        self._write(status, headers | ({"Retry-After": retry_after} if retry_after else {}), content)

    def _write(self, status: int, headers: dict[str, str], content: bytes, *, whole: bool = True) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if whole else content[: len(content) // 2])
        self.close_connection = self.close_connection or not whole

    def _say_nothing(self) -> None:
        # Longer than the client's patience.
        self.server.road.closing.wait(2.5)
        self.close_connection = True
