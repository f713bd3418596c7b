"""Measure everything and write docs/benchmarks: `python -m benchmarks.report [--quick] [--peers PYTHON]`.

PostgreSQL is the server that PGHOST, PGPORT and PGUSER name; databases are made there and dropped again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.databases import postgres, sqlite
from benchmarks.report.rows import Row
from benchmarks.report.writing import write

_FULL = [
    "--sizes",
    "10000",
    "100000",
    "1000000",
    "--followers",
    "1000",
    "100000",
    "--rounds",
    "15",
    "--late",
    "200",
]
_QUICK = ["--sizes", "10000", "--followers", "1000", "5000", "--rounds", "7", "--late", "40"]
# Rows of the drain and of the backfill, and rounds of the drain.
_MANY, _FEW = (20_000, 3), (2_000, 3)
PROGRAMS = ("measure", "drained", "nudged", "served")
_ROWS = "rows.json"
_DATABASES = {"SQLite": sqlite, "PostgreSQL": postgres}
_START = (
    "import time, resource; before = resource.getrusage(resource.RUSAGE_SELF).ru_utime; import django;"
    "from django.conf import settings; settings.configure(SECRET_KEY='x' * 50, STREAM_BACKEND='embedded',"
    "DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},"
    "INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', *OURS]); django.setup();"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before)"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small data, in five minutes")
    parser.add_argument("--peers", help="the Python of an environment with django-activity-stream")
    parser.add_argument("--enriching-peer", help="the Python of one with stream-django")
    parser.add_argument("--database", choices=_DATABASES, action="append")
    parser.add_argument("--only", choices=PROGRAMS, nargs="+", help="the other rows stay as they are")
    parser.add_argument("--folder", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    load = os.getloadavg()[0]
    found: dict[str, list[Row]] = {}
    known: list[str] = []
    if options.only:
        found, known = kept(options.folder)
    else:
        found = {"Start": [start_row()], "Client": [*client_rows()]}
    for name in options.database or _DATABASES:
        for row in measured(name, options):
            verdict = "met" if row.met else "MISSED"
            print(f"{name}: {row.name}: {row.value:.3g} of {row.target:g} {verdict}", flush=True)
            found[name] = [*(one for one in found.get(name, []) if one.key != row.key), row]
    told = facts(options.quick, load)
    if options.only:
        told = [*known, f"Measured anew: {' and '.join(options.only)}; {told[0]}"]
    write(options.folder, found, told)
    keep(options.folder, found, told)
    return 0


def kept(folder: Path) -> tuple[dict[str, list[Row]], list[str]]:
    """The rows of the last report, and what one must know of them."""
    written = json.loads((folder / _ROWS).read_text())
    return {name: [Row(**row) for row in rows] for name, rows in written["rows"].items()}, written["facts"]


def keep(folder: Path, found: Mapping[str, Sequence[Row]], told: Sequence[str]) -> None:
    rows = {name: [row.as_json() for row in some] for name, some in found.items()}
    (folder / _ROWS).write_text(json.dumps({"facts": told, "rows": rows}, indent=1) + "\n")


def measured(name: str, options: argparse.Namespace) -> Iterator[Row]:
    with ExitStack() as stack:

        def fresh() -> str:
            return stack.enter_context(_DATABASES[name]())

        for program in options.only or PROGRAMS:
            yield from rows_of(program, arguments_of(program, options, fresh), fresh())


def arguments_of(program: str, options: argparse.Namespace, fresh: Callable[[], str]) -> list[str]:
    """What a program is told; `fresh` makes one more database."""
    many, rounds = _FEW if options.quick else _MANY
    if program == "drained":
        return ["--rows", str(many), "--rounds", str(rounds)]
    if program != "measure":
        return ["--rounds", "5" if options.quick else "15"]
    arguments = [*(_QUICK if options.quick else _FULL), "--backfilled", str(many)]
    if options.peers:
        arguments += ["--peer", options.peers, fresh()]
    if options.enriching_peer:
        arguments += ["--enriching-peer", options.enriching_peer]
    return arguments


def rows_of(module: str, arguments: list[str], url: str) -> Iterator[Row]:
    """What a program of this folder measures on a database."""
    command = [sys.executable, "-m", f"benchmarks.report.{module}", *arguments]
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONHASHSEED": "0"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield Row(**json.loads(line))
    if process.returncode:
        raise SystemExit(f"{module} failed with status {process.returncode}")


def client_rows() -> Iterator[Row]:
    """Our client beside stream-python and requests by hand, against a stub over HTTP."""
    from benchmarks.client import compare

    command = [sys.executable, "-m", "benchmarks.client.stub"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stub:
        assert stub.stdin is not None and stub.stdout is not None  # noqa: PT018
        for call, contestants in compare.calls(int(stub.stdout.readline())).items():
            wall = {name: taken[0] * 1000 for name, taken in compare.measure(contestants, 9, 20).items()}
            for peer, target in compare.TARGETS[call].items():
                yield Row(f"client: {call}", wall["ours"], target, against=peer, limit=wall[peer])
        stub.stdin.close()


def start_row() -> Row:
    """Milliseconds of the processor that our apps add to `django.setup()`: the least of several."""
    least = {}
    for apps in ([], ["django_stream", "django_stream.server"]):
        program = _START.replace("OURS", repr(apps))
        runs = [
            subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            for _ in range(8)
        ]
        least[len(apps)] = min(float(run.stdout) for run in runs)
    return Row("django.setup() with our apps, embedded, without a broker", (least[2] - least[0]) * 1000, 60)


def facts(quick: bool, load: float) -> list[str]:
    """What one must know to read the figures; `load` is how many processes wanted to run beforehand."""
    busy = load > 0.5
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {'quick' if quick else 'full'} run, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {platform.system()}.",
        *(
            [
                f"**The machine had other work: a load of {load:.0f} before this began.** Milliseconds are "
                "several times what they are on an idle one, and ratios jump from run to run."
            ]
            if busy
            else []
        ),
        "The figures of a row were taken in turns: trust its ratio; milliseconds are the machine's.",
        "*By hand* is what one writes for this page alone, on the same rows; *the statement* is its SQL.",
        "[Where the time goes](missed.md) has the profile and the next step of each target that is missed.",
    ]


if __name__ == "__main__":
    sys.exit(main())
