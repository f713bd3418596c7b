"""Delivery of streams by one uvicorn worker, against a bare asynchronous view of Django in the same run.

Run: `DATABASE_URL=... python -m benchmarks.server.streams [burst] [paced] [idle]`.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import django
import requests

PADDING = "x" * 700


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.streams_settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    chosen = sys.argv[1:] or ["burst", "paced", "idle"]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max([{"burst": burst, "paced": paced, "idle": idle}[name]() for name in chosen])


def burst(readers: int = 1000, events: int = 100, rounds: int = 5) -> int:
    """Frames a second when events come all at once."""
    from benchmarks.server.measuring import ratio

    rates: dict[str, list[float]] = {"bare": [], "streams": []}
    with (
        server() as (port, _),
        Readers(port, "/bare/", readers) as bare,
        Readers(port, channel(), readers) as ours,
    ):
        for _ in range(rounds):
            for name, some in (("bare", bare), ("streams", ours)):
                figures = some.measure(events, partial(send, name, port, events, 0.0))
                rates[name].append(figures["frames"] / (figures["last"] - figures["started"]))
    best = {name: sorted(values)[len(values) // 2] for name, values in rates.items()}
    for name, value in best.items():
        print(f"  {readers} readers, {events} events at once, {name}: {value:,.0f} frames/s")
    return (
        0 if ratio("frames/s over the bare view", best["streams"] / best["bare"], 0.8, at_least=True) else 1
    )


def paced(readers: int = 500, rate: int = 50, seconds: int = 10) -> int:
    """How late events are that come one by one."""
    from benchmarks.server.measuring import ratio

    late = {}
    for name in ("bare", "streams"):
        with server() as (port, _):
            path = "/bare/" if name == "bare" else channel()
            with Readers(port, path, readers) as some:
                some.measure(10, partial(send, name, port, 10, 1 / rate))
                count = rate * seconds
                figures = some.measure(count, partial(send, name, port, count, 1 / rate))
        late[name] = figures["p99"]
        print(
            f"  {readers} readers, {rate} events/s, {name}: p50 {figures['p50'] * 1000:.0f} ms, "
            f"p99 {figures['p99'] * 1000:.0f} ms, {figures['frames']} frames"
        )
    return 0 if ratio("p99 in milliseconds", late["streams"] * 1000, 100) else 1


def idle(readers: int = 5000) -> int:
    """Memory of open connections."""
    from benchmarks.server.measuring import ratio

    grown = {}
    for name in ("bare", "streams"):
        with server() as (port, pid):
            path = "/bare/" if name == "bare" else channel()
            before = resident(pid)
            with Readers(port, path, readers):
                time.sleep(3)
                grown[name] = resident(pid) - before
                print(
                    f"  {readers} idle readers, {name}: {grown[name]:.0f} MB, {resident(pid):.0f} MB in all"
                )
    return 0 if ratio("MB of idle readers", grown["streams"], 300) else 1


def resident(pid: int) -> float:
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@contextmanager
def server() -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.server.streams_app:application"]
    command += ["--port", str(port), "--log-level", "error", "--backlog", "8192"]
    process = subprocess.Popen(command)
    try:
        for _ in range(200):
            try:
                requests.get(f"http://127.0.0.1:{port}/api/v1.0/health/", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def channel() -> str:
    """A new stream of everything; the path of its channel."""
    from django_stream.server.actions import streams
    from django_stream.server.conf import server_settings
    from django_stream.server.streams.channels import address_of

    streams.delete_all(server_settings.own_app_id)
    fields = {"object_types": ["activity"], "key": None, "filter_id": None}
    return address_of(streams.create(server_settings.own_app_id, fields), "")


class Readers:
    """Many readers in a process of their own."""

    def __init__(self, port: int, path: str, count: int) -> None:
        command = [sys.executable, "-m", "benchmarks.server.streams_readers", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*command, str(port), path, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "connected"

    def __enter__(self) -> Readers:
        time.sleep(1)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def measure(self, events: int, act: Any) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"measure {events}\n")
        self._process.stdin.flush()
        assert self._line() == "ready"
        started = time.time()
        act()
        return {**json.loads(self._line()), "started": started}

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def send(name: str, port: int, count: int, pause: float) -> None:
    if name == "bare":
        requests.get(f"http://127.0.0.1:{port}/push/", params={"count": count, "pause": pause}, timeout=120)
        return
    started = time.monotonic()
    for number in range(count if pause else 1):
        write(1 if pause else count)
        if pause:
            time.sleep(max(0, started + (number + 1) * pause - time.monotonic()))


def write(count: int) -> None:
    """Events as a writer leaves them: committed, without a place, and announced."""
    from django.utils import timezone

    from django_stream.server.conf import server_settings
    from django_stream.server.events.wakeups import announce
    from django_stream.server.models import StreamEvent

    rows = [
        StreamEvent(
            application=server_settings.own_app_id,
            kind="activity",
            object_id=str(number),
            op="create",
            data=json.dumps({"at": time.time(), "n": number, "text": PADDING}),
            created_at=timezone.now(),
        )
        for number in range(count)
    ]
    StreamEvent.objects.bulk_create(rows)
    announce()


if __name__ == "__main__":
    sys.exit(main())
