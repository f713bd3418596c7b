"""Measure what tracking costs, on SQLite and on PostgreSQL: `python -m benchmarks.publishing`.

PostgreSQL is the server that PGHOST, PGPORT and PGUSER name (127.0.0.1, 5432 and postgres); a database
is made there and dropped again. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.databases import in_each_database

LATENCIES = (0.0, 0.06, 5.0)


def line(what: str, plain: str, tracked: str, cost: str, target: str, met: bool) -> bool:
    print(f"{what:<50}{plain:>12}{tracked:>12}{cost:>12}{target:>12}  {'met' if met else 'MISSED'}")
    return met


def report(options: argparse.Namespace) -> bool:
    from django.contrib.auth.models import User
    from django.db import connection

    from benchmarks.publishing import measuring

    users = [User.objects.create(username=f"user{number}") for number in range(10)]
    print(f"\n{connection.vendor:<50}{'untracked':>12}{'tracked':>12}{'cost':>12}{'target':>12}")
    counts = measuring.queries_of_save(users[0])
    met = []
    for name, most in (("Tracked", 1), ("Captured", 0)):
        more = counts[name] - counts["Untracked"]
        plain, tracked = f"{counts['Untracked']:.0f}", f"{counts[name]:.0f}"
        met.append(line(f"save {name}: queries", plain, tracked, f"+{more:.0f}", f"≤ +{most}", more <= most))
    measuring.save(users[0], 50, 0.0)
    for latency in LATENCIES:
        for kind, figures in measuring.save(users[0], options.saves, latency).items():
            for name in ("Tracked", "Captured"):
                plain, tracked = figures["Untracked"], figures[name]
                cost = tracked - plain
                what = f"save {name} ({kind}), ms, API {latency * 1000:.0f} ms"
                met.append(
                    line(what, f"{plain:.3f}", f"{tracked:.3f}", f"+{cost:.3f}", "≤ +0.30", cost <= 0.30)
                )
    times, peaks = measuring.bulk_create(users[0], options.bulk, options.rounds)
    for name in ("Tracked", "Captured"):
        ratio = times[name] / times["Untracked"]
        plain, tracked = f"{times['Untracked']:.3f}", f"{times[name]:.3f}"
        what = f"bulk_create {name} {options.bulk}, s"
        met.append(line(what, plain, tracked, f"{ratio:.2f}x", "≤ 1.5x", ratio <= 1.5))
    plain, tracked = (f"{peaks[name]:.1f}" for name in ("Untracked", "Tracked"))
    more = peaks["Tracked"] / peaks["Untracked"]
    met.append(line("its peak of memory, MB", plain, tracked, f"{more:.2f}x", "≤ 1.5x", more <= 1.5))
    times = measuring.drain_creates(users, options.drain, options.drain_rounds)
    drained = times.pop("drain")
    for peer, taken in times.items():
        ratio = drained / taken
        what = f"drain {options.drain}, s; left: {peer}"
        met.append(line(what, f"{taken:.2f}", f"{drained:.2f}", f"{ratio:.2f}x", "≤ 1.5x", ratio <= 1.5))
    return all(met)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publishing", description=__doc__)
    parser.add_argument("--saves", type=int, default=200, help="pairs of saves at each latency")
    parser.add_argument("--bulk", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7, help="of bulk_create")
    parser.add_argument("--drain", type=int, default=100_000)
    parser.add_argument("--drain-rounds", type=int, default=3)
    return in_each_database("benchmarks.publishing", parser, report)


if __name__ == "__main__":
    sys.exit(main())
