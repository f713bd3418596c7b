"""Readers that count frames, in a process of their own: `connect`, then a line of figures for each `measure`.

Arguments: host, port, path, number of readers. Reads commands from its input: `measure <frames each>`.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
from contextlib import suppress

_AT = re.compile(rb'"at":\s*([0-9.]+)')
# Reading the time in every frame would slow the readers: of these, one in so many does.
_SAMPLED = 10


class Reader(asyncio.Protocol):
    def __init__(self, state: State, request: bytes, *, sampled: bool) -> None:
        self.state, self.request, self.sampled = state, request, sampled

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.state.received(data.count(b'"at"'))
        if self.sampled:
            now = time.time()
            self.state.latencies += [now - float(at) for at in _AT.findall(data)]

    def connection_lost(self, error: Exception | None) -> None:
        self.state.lost += 1


class State:
    def __init__(self) -> None:
        self.frames = self.wanted = self.lost = 0
        self.latencies: list[float] = []
        self.first = self.last = 0.0
        self.done = asyncio.Event()

    def received(self, frames: int) -> None:
        if frames:
            self.last = time.time()
            self.first = self.first or self.last
            self.frames += frames
            if self.frames >= self.wanted > 0:
                self.done.set()

    def reset(self, wanted: int) -> None:
        self.frames, self.wanted, self.first = 0, wanted, 0.0
        self.latencies = []
        self.done = asyncio.Event()


async def main(host: str, port: int, path: str, count: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop, state = asyncio.get_running_loop(), State()
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    for number in range(count):
        sampled = number % _SAMPLED == 0
        await loop.create_connection(
            lambda sampled=sampled: Reader(state, request, sampled=sampled), host, port
        )
    print("connected", flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).split():
        state.reset(int(line[1]) * count)
        print("ready", flush=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(state.done.wait(), 120)
        state.latencies.sort()
        told = {
            "frames": state.frames,
            "first": state.first,
            "last": state.last,
            "lost": state.lost,
            "p50": _part(state.latencies, 0.5),
            "p99": _part(state.latencies, 0.99),
        }
        print(json.dumps(told), flush=True)


def _part(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else 0.0


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
