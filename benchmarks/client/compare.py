"""Time `add_activity` and `feed.get` of 25: this client, stream-python, and a bare requests.Session.

All three call one local stub in turns, a block of calls each, so that what slows the machine
slows them alike. Prints medians over the blocks and this client's ratios; exit status 1 if a
target is missed. Run: `python -m benchmarks.client.compare`.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import requests
import stream

from benchmarks.client.stub import PAGE
from django_stream.client import StreamClient

KEY, SECRET = "benchmark", "a secret of the length that the hosted service gives out"
ACTIVITY = {
    "actor": "SU:user-1",
    "verb": "commit",
    "object": "repository.commit:1",
    "foreign_id": "repository.commit:1",
    "time": "2018-11-14T15:54:45.268000",
    "message": "Answer with the whole page, also when it is the last one",
    "lines": {"added": 1, "removed": 3},
}
# call -> peer -> the ratio that must not be passed, for wall and CPU time alike
TARGETS = {
    "add_activity": {"stream-python": 0.9, "bare session": 1.1},
    "get(25)": {"stream-python": 0.4, "bare session": 1.1},
}
Call = Callable[[], object]


def calls(port: int) -> dict[str, dict[str, Call]]:
    url = f"http://localhost:{port}"
    ours = StreamClient(KEY, SECRET, base_url=url)
    theirs = stream.connect(KEY, SECRET, base_url=url)
    session = requests.Session()
    token = ours.feed("user", "1").token
    headers = {
        "Authorization": token,
        "stream-auth-type": "jwt",
        "Content-Type": "application/json",
        "X-Stream-Client": "bare",
    }
    feed_url = f"{url}/api/v1.0/feed/user/1/"

    def bare_add() -> object:
        return session.post(
            feed_url, params={"api_key": KEY}, json=ACTIVITY, headers=headers, timeout=3
        ).json()

    def bare_get() -> object:
        params = {"api_key": KEY, "limit": PAGE}
        return session.get(feed_url, params=params, headers=headers, timeout=3).json()

    return {
        "add_activity": {
            "ours": lambda: ours.feed("user", "1").add_activity(ACTIVITY),
            "stream-python": lambda: theirs.feed("user", "1").add_activity(ACTIVITY),
            "bare session": bare_add,
        },
        "get(25)": {
            "ours": lambda: ours.feed("user", "1").get(limit=PAGE),
            "stream-python": lambda: theirs.feed("user", "1").get(limit=PAGE),
            "bare session": bare_get,
        },
    }


def block(call: Call, count: int) -> tuple[float, float]:
    """Seconds of wall and CPU time per call."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        call()
    return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count


def measure(contestants: dict[str, Call], rounds: int, count: int) -> dict[str, tuple[float, float]]:
    """Medians of wall and CPU time per call, the contestants taking turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for call in contestants.values():
        block(call, count)
    gc.collect()
    for turn in range(rounds):
        names = list(contestants)
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            times[name].append(block(contestants[name], count))
    return {name: tuple(map(statistics.median, zip(*taken, strict=True))) for name, taken in times.items()}  # type: ignore[misc]


def report(call: str, medians: dict[str, tuple[float, float]]) -> bool:
    print(f"\n{call:<16}{'wall ms':>10}{'CPU ms':>10}{'wall ratio':>12}{'CPU ratio':>12}{'target':>9}")
    own, met = medians["ours"], True
    for name, taken in medians.items():
        line = f"{name:<16}{taken[0] * 1e3:>10.3f}{taken[1] * 1e3:>10.3f}"
        if (target := TARGETS[call].get(name)) is not None:
            ratios = own[0] / taken[0], own[1] / taken[1]
            met = met and max(ratios) <= target
            line += f"{ratios[0]:>12.2f}{ratios[1]:>12.2f}{f'≤ {target}':>9}"
        print(line)
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--calls", type=int, default=50, help="calls per block")
    options = parser.parse_args()
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client.stub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stub:
        assert stub.stdout is not None
        port = int(stub.stdout.readline())
        met = [
            report(name, measure(contestants, options.rounds, options.calls))
            for name, contestants in calls(port).items()
        ]
        assert stub.stdin is not None
        stub.stdin.close()
    print("\nall targets met" if all(met) else "\na target is missed")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
