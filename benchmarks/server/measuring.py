"""Times in turns: what slows the machine slows all alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def medians(
    calls: Mapping[str, Callable[[], object]], *, rounds: int = 40, per_round: int = 20
) -> dict[str, float]:
    """Median seconds of one call of each, measured in alternating blocks."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(per_round):
            call()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, call in calls.items():
                started = time.perf_counter()
                for _ in range(per_round):
                    call()
                times[name].append((time.perf_counter() - started) / per_round)
            gc.collect()
    finally:
        gc.enable()
    return {name: statistics.median(values) for name, values in times.items()}


def ratio(name: str, value: float, target: float, *, at_least: bool = False) -> bool:
    """Print a ratio beside its target; whether it is met."""
    met = value >= target if at_least else value <= target
    verdict = "ok" if met else "MISSED"
    print(f"  {name:<52} {value:6.2f}  (target {'>=' if at_least else '<='} {target})  {verdict}")
    return met
