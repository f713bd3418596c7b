"""One row of the report, and how its figures are taken: in turns, so that what slows one slows all."""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import django

Timed = Callable[[], float]
"""It does something and says how many seconds that took."""


@dataclass(frozen=True)
class Row:
    """Ours against another figure; the target is the largest ratio, or the largest figure by itself."""

    name: str
    ours: float
    target: float
    unit: str = "ms"
    against: str = ""
    limit: float | None = None
    at_least: bool = False
    """The target is the smallest ratio of the other over ours: so many times faster."""

    @property
    def key(self) -> tuple[str, str, str]:
        """By which a row is known in its table."""
        return self.name, self.against, self.unit

    @property
    def value(self) -> float:
        """What is held against the target."""
        if self.limit is None:
            return self.ours
        return self.limit / self.ours if self.at_least else self.ours / self.limit

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def timed(call: Callable[[], object], repeat: int = 1) -> Timed:
    def run() -> float:
        started = time.perf_counter()
        for _ in range(repeat):
            call()
        return (time.perf_counter() - started) / repeat

    return run


def in_turns(calls: Mapping[str, Timed], rounds: int) -> dict[str, float]:
    """Median milliseconds of each, after one round that does not count; each begins a round in its turn.

    Whatever comes first after the collection of garbage takes longer.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for turn in range(rounds + 1):
        gc.collect()
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            taken = calls[name]()
            if turn:
                times[name].append(taken * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def tell_rows(settings: str, rows: Callable[[int], Iterable[Row]]) -> None:
    """What a program of the report does: print rows that take so many rounds, one JSON object a line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    django.setup()
    for row in rows(options.rounds):
        print(json.dumps(row.as_json()), flush=True)
