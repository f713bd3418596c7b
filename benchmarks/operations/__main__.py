"""Measure the commands on whole tables, on SQLite and on PostgreSQL: `python -m benchmarks.operations`.

Verify is told by the row, with the memory that the process took more. PostgreSQL is found as by
`python -m benchmarks.publishing`. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.databases import in_each_database


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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("--verify", type=int, default=1_000_000, help="rows that are compared")
    parser.add_argument("--authors", type=int, default=2_000)
    return in_each_database("benchmarks.operations", parser, report)


if __name__ == "__main__":
    sys.exit(main())
