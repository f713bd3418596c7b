"""Measure the commands on whole tables, on SQLite and on PostgreSQL: `python -m benchmarks.operations`,
`python -m benchmarks.operations memory` and `latency`.

Memory is what the process takes more than at the start of each command; verify is told by the row, too.
PostgreSQL is found as by `python -m benchmarks.publishing`. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.databases import in_each_database

_MB_MORE = 50.0
_TARGETS = {
    "seconds of a million rows": 60.0,
    "MB more": _MB_MORE,
    "seconds more": 10.0,
    "differences after it": 0.0,
    **{f"{name}, MB more": _MB_MORE for name in ("backfill", "sync", "verify")},
}


def report(options: argparse.Namespace) -> bool:
    from django.db import connection

    from benchmarks.operations import measuring

    print(f"\n{connection.vendor}")
    met = []
    name, rows = options.measured, getattr(options, options.measured)
    for figure, value in getattr(measuring, name)(rows, options.authors).items():
        target = _TARGETS.get(figure)
        met.append(target is None or value <= target)
        told = "" if target is None else f"≤ {target:.0f}"
        verdict = "met" if met[-1] else "MISSED"
        print(f"{name} {rows}: {figure:<40}{value:>12.1f}{told:>12}  {verdict}", flush=True)
    return all(met)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("measured", nargs="?", choices=("verify", "memory", "latency"), default="verify")
    parser.add_argument("--verify", type=int, default=1_000_000, help="rows that are compared")
    parser.add_argument("--memory", type=int, default=100_000, help="rows that are published and compared")
    parser.add_argument("--latency", type=int, default=100_000, help="rows that are published to a slow API")
    parser.add_argument("--authors", type=int, default=2_000)
    return in_each_database("benchmarks.operations", parser, report)


if __name__ == "__main__":
    sys.exit(main())
