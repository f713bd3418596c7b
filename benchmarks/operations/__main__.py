"""Measure the commands on whole tables, on SQLite and on PostgreSQL: `python -m benchmarks.operations`.

Backfill takes turns with a loop that is written by hand, verify is told by the row, and both with the
memory that the process took more. PostgreSQL is found as by `python -m benchmarks.publishing`. Exit status 1
if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.publishing.__main__ import postgres, sqlite


def report(options: argparse.Namespace) -> bool:
    from django.db import connection

    from benchmarks.operations import measuring

    print(f"\n{connection.vendor}")
    met = []
    for name, figure in measuring.verify(options.verify, options.authors).items():
        target = {"seconds of a million rows": 60.0, "MB more": 50.0}.get(name)
        told = "" if target is None else f"≤ {target:.0f}"
        met.append(target is None or figure <= target)
        print(
            f"verify {options.verify}: {name:<40}{figure:>12.1f}{told:>12}  {'met' if met[-1] else 'MISSED'}"
        )
    return all(met)


def measure_one(options: argparse.Namespace) -> int:
    """In a process of its own, with DATABASE_URL set."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.operations.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)
    return 0 if report(options) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("--verify", type=int, default=1_000_000, help="rows that are compared")
    parser.add_argument("--authors", type=int, default=2_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return measure_one(options)
    made = {"sqlite": sqlite, "postgresql": postgres}
    status = 0
    for name in options.database or made:
        with made[name]() as url:
            command = [sys.executable, "-m", "benchmarks.operations", *sys.argv[1:], "--here"]
            status |= subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    print("\nall targets met" if status == 0 else "\na target is missed")
    return status


if __name__ == "__main__":
    sys.exit(main())
