"""A population in simulated time, and what a real site makes of the same steps.

Run: `python -m benchmarks.simulate`, with PostgreSQL as `python -m benchmarks.publishing` finds it. Costs are
measured first; then the steps of a power law's population are gone through in simulated time, and in
`--seconds` of real time. Both are told, and by how much the simulation was wrong. With `--predict` nothing is
lived through, and any population will do.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.databases import in_each_database
from benchmarks.simulation.model import Costs, Machine, Outcome, Simulation
from benchmarks.simulation.population import day, power_law
from benchmarks.written import rewrite

_PARTS = {"median": 0.5, "slowest hundredth": 0.99}


def report(options: argparse.Namespace) -> bool:
    from celery import Celery

    from benchmarks.simulation import site

    others = os.getloadavg()[0]
    Celery(broker="memory://").set_current()
    followers = power_law(options.users, options.follows)
    site.fill(followers)
    costs = site.measured(followers)
    print("costs, ms: " + ", ".join(f"{name} {value * 1000:.3f}" for name, value in medians(costs).items()))
    machine = Machine(cores=os.cpu_count() or 1, web=options.web, workers=options.workers)
    steps = day(options.users, options.posts, options.pages, options.seconds, options.seed)
    expected = figures(Simulation(steps, followers, costs, machine).run())
    seen = None if options.predict else figures(site.lived(steps, machine))
    lines = [*table(expected, seen)]
    print("\n".join(lines))
    if options.write and seen is not None:
        rewrite("simulated", [*_facts(options, costs, others), "", *lines], options.write)
    return True


def table(expected: Mapping[str, float], seen: Mapping[str, float] | None) -> Iterator[str]:
    """What was told beside what was seen, if anything was."""
    if seen is None:
        yield from ("| | told |", "| --- | --- |")
        yield from (f"| {name} | {value:.1f} |" for name, value in expected.items())
        return
    yield from ("| | told | seen | error |", "| --- | --- | --- | --- |")
    for name, value in expected.items():
        error = f"{(value / seen[name] - 1) * 100:+.0f} %" if seen[name] else ""
        yield f"| {name} | {value:.1f} | {seen[name]:.1f} | {error} |"


def _facts(options: argparse.Namespace, costs: Costs, others: float) -> Iterator[str]:
    yield (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores with a load of {others:.0f} by others, "
        f"PostgreSQL, {options.seconds:.0f} seconds: "
        f"{options.users:,} users who follow {options.follows} each, {options.posts:g} posts and "
        f"{options.pages:g} pages a second; processes for pages: {options.web}, workers: {options.workers}."
    )
    yield (
        "Milliseconds before the run: "
        + ", ".join(f"{name} {value * 1000:.3g}" for name, value in medians(costs).items())
        + "."
    )


def medians(costs: Costs) -> dict[str, float]:
    """Seconds."""
    return {
        "save": median(costs.saves),
        "page": median(costs.pages),
        "batch": costs.batch,
        "activity": costs.activity,
        "follower": costs.follower,
        "look": costs.look,
    }


def figures(outcome: Outcome) -> dict[str, float]:
    """Milliseconds, and busy cores in percent."""
    told = {"busy cores, percent": outcome.load * 100}
    for what, seconds in (("posts on all timelines", outcome.lags), ("pages", outcome.pages)):
        ordered = sorted(seconds)
        for name, part in _PARTS.items():
            if ordered:
                told[f"{what}, ms, {name}"] = ordered[int(len(ordered) * part)] * 1000
    return told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--follows", type=int, default=50, help="of each user")
    parser.add_argument("--posts", type=float, default=3.0, help="a second")
    parser.add_argument("--pages", type=float, default=30.0, help="a second")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--web", type=int, default=1, help="processes that people ask")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="the page whose table of this is written anew")
    parser.add_argument("--predict", action="store_true", help="without the real site")
    parser.set_defaults(database=["postgresql"])
    return in_each_database("benchmarks.simulation", parser, report)


if __name__ == "__main__":
    sys.exit(main())
