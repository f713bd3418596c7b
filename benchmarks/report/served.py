"""A page of 25 over HTTP, by gunicorn beside a view by hand, and by uvicorn with 50 connections at once.

On the database of DATABASE_URL. Each server is one process that has more to do than it can.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from benchmarks.report.rows import tell_rows

API, HAND = "/api/v1.0/feed/timeline/0/?api_key=embedded", "/hand/"
ACTIVITIES = 10_000
# What docs/server.md advises is the settings' default.
GUNICORN = {
    "": (1, "advised"),
    " with default options of the database": (1, "plain"),
    " with 4 threads": (4, "advised"),
}


def rows(rounds: int) -> Iterator:  # type: ignore[type-arg]
    from django.db import connection

    from benchmarks.server import data

    data.prepare(ACTIVITIES)
    data.timeline(data.feeds("timeline", 1)[0], ACTIVITIES, data.feeds("user", 100))
    data.analyze()
    headers = {"Authorization": token(), "stream-auth-type": "jwt"}
    is_postgres = connection.vendor == "postgresql"
    for name, (threads, kind) in GUNICORN.items():
        if is_postgres or kind == "advised":
            yield beside_by_hand(name, threads, kind, headers, rounds)
    if is_postgres:
        yield from under_uvicorn(headers, rounds)


def token() -> str:
    import jwt

    from django_stream.server.conf import server_settings

    claims = {"resource": "*", "action": "*", "feed_id": "*"}
    return jwt.encode(claims, server_settings.own_secret, algorithm="HS256")


def beside_by_hand(name: str, threads: int, kind: str, headers: dict[str, str], rounds: int) -> Any:
    from benchmarks.report.rows import Row, in_turns

    command = ["gunicorn", "--log-level", "error", "--worker-class", "gthread", "--threads", str(threads)]
    with serving([*command, "benchmarks.server.wsgi", "--bind"], kind) as port:
        found = in_turns(
            {path: lambda path=path: asked(port, path, headers, 4, 50)[0] for path in (API, HAND)},  # type: ignore[misc]
            rounds,
        )
    title = f"page of 25 over HTTP, gunicorn{name}"
    return Row(title, found[API], 1.25, against="a view by hand", limit=found[HAND])


def under_uvicorn(headers: dict[str, str], rounds: int) -> Iterator:  # type: ignore[type-arg]
    """By psycopg's pool, as the docs advise, and with a new connection to the database for each request."""
    from benchmarks.report.rows import Row, in_turns

    command = ["uvicorn", "--log-level", "critical", "benchmarks.server.asgi:application", "--fd"]
    failures: list[int] = []

    def busy(port: int) -> float:
        seconds, failed = asked(port, API, headers, 50, 10)
        failures.append(failed)
        return seconds

    with serving(command, "pool") as pooled, serving(command, "unkept") as unkept:
        found = in_turns({"pool": lambda: busy(pooled), "unkept": lambda: busy(unkept)}, rounds)
    title = "page of 25 over HTTP, uvicorn with psycopg's pool"
    yield Row(title, found["pool"], 1.0, against="a new connection each", limit=found["unkept"])
    asked_for = 50 * 10 * len(failures)
    share = 100 * (1 - sum(failures) / asked_for)
    yield Row(f"{title}: pages that answer, of 50 at once", share, 100, "%", at_least=True)


def asked(port: int, path: str, headers: dict[str, str], clients: int, each: int) -> tuple[float, int]:
    """Seconds for each page, and how many failed; so many clients ask at once."""

    def ask(_: int) -> int:
        connection, failed = HTTPConnection("127.0.0.1", port, timeout=60), 0
        for _ in range(each):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            failed += len(answer.read()) < 1000 or answer.status != 200
        connection.close()
        return failed

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        failed = sum(threads.map(ask, range(clients)))
    return (time.perf_counter() - started) / (clients * each), failed


@contextmanager
def serving(command: list[str], kind: str) -> Iterator[int]:
    """A server in a process of its own; its command ends with the option for the address or the socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        by_number = command[-1] == "--fd"
        address = str(listener.fileno()) if by_number else f"fd://{listener.fileno()}"
        process = subprocess.Popen(
            [sys.executable, "-m", *command, address],
            env={**os.environ, "CONNECTIONS": kind},
            pass_fds=[listener.fileno()],
        )
        try:
            # The socket listens already: the first request waits until the server takes it.
            with socket.create_connection(("127.0.0.1", port), timeout=60) as first:
                first.sendall(b"GET /api/v1.0/health/ HTTP/1.0\r\n\r\n")
                assert first.recv(100)
            yield port
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    tell_rows("benchmarks.server.settings", rows)
