"""All rows on the database that DATABASE_URL names, one JSON object a line; started by the report."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import django


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", required=True)
    parser.add_argument("--followers", type=int, nargs="+", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--late", type=int, required=True)
    parser.add_argument("--backfilled", type=int, required=True)
    parser.add_argument("--enriching-peer", metavar="PYTHON")
    parser.add_argument("--peer", nargs=2, metavar=("PYTHON", "URL"))
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.report.settings"
    django.setup()
    for row in rows(options):
        print(json.dumps(row.as_json()), flush=True)


def rows(options: argparse.Namespace) -> Iterator:  # type: ignore[type-arg]
    from django.core.management import call_command

    from benchmarks.report import data, pages, viewers, writes
    from django_stream.server.models import Application

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)
    Application.objects.create(id=data.application(), name="report")
    few = max(options.rounds // 3, 3)
    few_followers, *many_followers = options.followers
    # First, while nobody has run ANALYZE.
    without = list(writes.fanout_rows(few_followers, 20, few, statistics=False))
    analyzed = list(writes.fanout_rows(few_followers, options.late, few, statistics=True))
    yield from [*without, *analyzed, *writes.statistics_rows(without, analyzed)]
    # 200 activities to 100,000 feeds each would be sixty million rows.
    for followers in many_followers:
        yield from writes.fanout_rows(followers, 20, few, statistics=True)
    reader = data.prepare()
    for size in options.sizes:
        data.fill(reader, size)
        with peer(options.peer, size) as process:
            yield from pages.page_rows(reader, size, process, options.rounds)
            if process is not None and size == options.sizes[-1]:
                yield pages.quiet_row(size, process, few)
    yield from viewers.viewer_rows(reader, options.sizes[-1], options.rounds)
    with enriching_peer(options.enriching_peer) as process:
        yield from pages.enriching_rows(process, options.rounds)
    yield from writes.change_rows(reader, options.sizes[-1], options.rounds)
    yield from pages.enriched_api_rows(options.rounds)
    yield from writes.create_rows(2000, options.rounds)
    yield from writes.backfill_rows(options.backfilled)


@contextmanager
def peer(named: list[str] | None, size: int) -> Iterator[subprocess.Popen[str] | None]:
    """django-activity-stream with as much data, ready to be asked; the database is told apart by the size."""
    if named is None:
        yield None
        return
    command = [named[0], "benchmarks/report/peer.py", named[1].replace("SIZE", str(size)), str(size)]
    with answering(command) as process:
        yield process


@contextmanager
def enriching_peer(python: str | None) -> Iterator[subprocess.Popen[str] | None]:
    """stream-django, ready to be asked. Its rows are in memory, so it stands beside SQLite alone."""
    if python is None or "sqlite" not in os.environ["DATABASE_URL"]:
        yield None
        return
    with answering([python, "benchmarks/report/enriching_peer.py", "100"]) as process:
        yield process


@contextmanager
def answering(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
