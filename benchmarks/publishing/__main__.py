"""Measure what tracking costs, on SQLite and on PostgreSQL: `python -m benchmarks.publishing`.

PostgreSQL is the server that PGHOST, PGPORT and PGUSER name (127.0.0.1, 5432 and postgres); a database
is made there and dropped again. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

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


def measure_one(options: argparse.Namespace) -> int:
    """In a process of its own, with DATABASE_URL set."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.publishing.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    # The measured models, which have no migrations, refer to what these have made.
    call_command("migrate", verbosity=0, run_syncdb=True)
    return 0 if report(options) else 1


@contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'measured.sqlite3'}"


@contextmanager
def postgres() -> Iterator[str]:
    import psycopg

    host, port = os.environ.get("PGHOST", "127.0.0.1"), os.environ.get("PGPORT", "5432")
    server = f"postgres://{os.environ.get('PGUSER', 'postgres')}@{host}:{port}"
    name = f"measured_{uuid4().hex[:8]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publishing", description=__doc__)
    parser.add_argument("--saves", type=int, default=200, help="pairs of saves at each latency")
    parser.add_argument("--bulk", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7, help="of bulk_create")
    parser.add_argument("--drain", type=int, default=100_000)
    parser.add_argument("--drain-rounds", type=int, default=3)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return measure_one(options)
    made = {"sqlite": sqlite, "postgresql": postgres}
    status = 0
    for name in options.database or made:
        with made[name]() as url:
            command = [sys.executable, "-m", "benchmarks.publishing", *sys.argv[1:], "--here"]
            status |= subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    print("\nall targets met" if status == 0 else "\na target is missed")
    return status


if __name__ == "__main__":
    sys.exit(main())
