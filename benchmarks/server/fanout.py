"""Bring one activity to 100,000 followers: the server's fan-out against one raw INSERT .. SELECT.

Run: `DATABASE_URL=... python -m benchmarks.server.fanout [--followers 100000]`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

import django


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    return compare(options.followers, options.rounds)


def compare(followers: int, rounds: int) -> int:
    from django.db import connection, transaction

    from benchmarks.server import data
    from benchmarks.server.measuring import ratio
    from django_stream.protocol.feed_ids import FeedID
    from django_stream.server.actions import placements
    from django_stream.server.activity_input import activity_inputs
    from django_stream.server.models import Follow, TimelineEntry

    data.prepare(1000)
    author = data.feeds("user", 1)[0]
    first = data.feeds("timeline", followers)[0]
    table = Follow._meta.db_table
    now = "now()" if connection.vendor == "postgresql" else "'2026-01-01 00:00:00'"
    data.run(
        f"INSERT INTO {table} (source_id, target_id, since_seq, created_at) "
        f"SELECT {first} + n, {author}, 0, {now} FROM {data.series(followers)}"
    )
    # Each timeline holds something: an empty table would be unlike any in use.
    for number in range(10):
        data.run(
            f"INSERT INTO {TimelineEntry._meta.db_table} (feed, key, via) "
            f"SELECT {first} + n, {data.key(str(number * 7))}, {author} FROM {data.series(followers)}"
        )
    data.analyze()
    keys = iter(range(100, 1000))

    def raw() -> None:
        with transaction.atomic():
            data.run(
                f"INSERT INTO {TimelineEntry._meta.db_table} (feed, key, via) "
                f"SELECT source_id, {data.key(str(next(keys)))}, target_id FROM {table} "
                f"WHERE target_id = {author}"
            )

    def own() -> None:
        draft = activity_inputs([{"actor": "a", "verb": "v", "object": "o"}], data.APP)
        placements.add(data.APP, FeedID("user", "0"), draft)

    seconds = {"raw": [], "own": []}
    for _ in range(rounds):
        for name, call in (("raw", raw), ("own", own)):
            seconds[name].append(timed(call))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in medians.items():
        print(f"  {name}: {followers / value:12,.0f} rows/s ({value * 1000:.0f} ms)")
    held = TimelineEntry.objects.exclude(via=0).count()
    assert held == followers * (10 + 2 * rounds), held
    return 0 if ratio("rows/s over raw", medians["raw"] / medians["own"], 0.75, at_least=True) else 1


def timed(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
