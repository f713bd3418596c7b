"""Servers and readers are killed while events flow: whoever resumes by cursor has every event, in order.

STREAM_FAULT_EVENTS and STREAM_FAULT_SEED change the number of events and the dice.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.db.server.streams.site import Database, Server, databases, environment, servers
from tests.services.processes import ROOT, pause, wait_until

__all__ = ["databases", "servers"]

pytestmark = [pytest.mark.services, pytest.mark.django_db]

EVENTS = int(os.environ.get("STREAM_FAULT_EVENTS", "10000"))
SEED = os.environ.get("STREAM_FAULT_SEED", "1815")
WRITERS = ("ann", "bob")


class Consumer:
    """A reader in a process of its own."""

    def __init__(self, endpoint: str, path: Path) -> None:
        self._command = [sys.executable, "-m", "tests.services.stream_consumer", endpoint, str(path)]
        self.path = path
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def seen(self) -> list[tuple[int, str]]:
        """Event id and object of each event, in the order of arrival; an unfinished last line is none."""
        text = self.path.read_text() if self.path.exists() else ""
        whole = text[: text.rfind("\n") + 1].splitlines()
        return [(int(number), name) for number, name in (line.split() for line in whole)]


def start_writer(url: str, name: str, output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.services.stream_writer", name, str(EVENTS // 2), SEED]
    with output.open("wb") as file:
        return subprocess.Popen(command, cwd=ROOT, env=environment(url, {}), stdout=file)


def test_whoever_resumes_has_every_event_in_order(databases: Database, tmp_path: Path) -> None:
    url, dice, kills = databases.new(), random.Random(SEED), {"servers": 0, "readers": 0}
    running = [Server(url, tmp_path / f"server{number}.log", STREAMS_QUEUE_MAX=50) for number in range(2)]
    endpoint = running[0].stream()["endpoint"]
    ports = [str(server.port) for server in running]
    consumers = [
        Consumer(endpoint.replace(ports[0], port), tmp_path / f"seen{number}")
        for number, port in enumerate(ports)
    ]
    outputs = [tmp_path / name for name in WRITERS]
    writers = [start_writer(url, name, output) for name, output in zip(WRITERS, outputs, strict=True)]
    try:
        while any(writer.poll() is None for writer in writers):
            pause(dice.random() * 1.5)
            victim: Any = dice.choice([*running, *consumers])
            victim.kill()
            kills["servers" if victim in running else "readers"] += 1
            victim.start()
        assert [writer.returncode for writer in writers] == [0, 0]
        committed = [output.read_text().split() for output in outputs]
        for consumer in consumers:
            wait_until(lambda one=consumer: complete(one, committed), "every event arrives", within=120)
            check_order(consumer, committed)
        print(f"{EVENTS} events, killed: {kills}")
        assert min(kills.values()) > 0
    finally:
        for process in (*running, *consumers):
            process.kill()
        for writer in writers:
            writer.kill()


def complete(consumer: Consumer, committed: list[list[str]]) -> bool:
    return {name for _, name in consumer.seen()} >= {name for names in committed for name in names}


def check_order(consumer: Consumer, committed: list[list[str]]) -> None:
    seen = consumer.seen()
    numbers = [number for number, _ in seen]
    # This reader writes an event down before it asks for the next one, so it has not even a duplicate.
    assert numbers == sorted(set(numbers))
    for names in committed:
        mine = set(names)
        assert [name for _, name in seen if name in mine] == names
    assert len(seen) == sum(map(len, committed))
