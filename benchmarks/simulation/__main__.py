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
from dataclasses import asdict

from benchmarks.databases import in_each_database
from benchmarks.simulation.model import Machine, Outcome, Simulation
from benchmarks.simulation.population import day, power_law

_PARTS = {"median": 0.5, "slowest hundredth": 0.99}


def report(options: argparse.Namespace) -> bool:
    from celery import Celery

    from benchmarks.simulation import site

    Celery(broker="memory://").set_current()
    followers = power_law(options.users, options.follows)
    site.fill(followers)
    costs = site.measured(followers)
    print("costs, ms: " + ", ".join(f"{name} {value * 1000:.3f}" for name, value in asdict(costs).items()))
    machine = Machine(cores=os.cpu_count() or 1, web=options.web, workers=options.workers)
    steps = day(options.users, options.posts, options.pages, options.seconds, options.seed)
    expected = figures(Simulation(steps, followers, costs, machine).run())
    seen = None if options.predict else figures(site.lived(steps, machine))
    for name, value in expected.items():
        line = f"{name:<32}{value:>10.1f}"
        if seen is not None:
            line += f"{seen[name]:>10.1f}{(value / seen[name] - 1) * 100 if seen[name] else 0:>+8.0f} %"
        print(line)
    return True


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
    parser.add_argument("--predict", action="store_true", help="without the real site")
    parser.set_defaults(database=["postgresql"])
    return in_each_database("benchmarks.simulation", parser, report)


if __name__ == "__main__":
    sys.exit(main())
