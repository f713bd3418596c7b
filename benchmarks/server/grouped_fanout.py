"""Bring one activity to many grouped feeds, against as many flat ones: early and late in a day's group.

Run: `DATABASE_URL=... python -m benchmarks.server.grouped_fanout [--followers 1000] [--no-statistics]`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import django

DAY = datetime(2026, 3, 1, tzinfo=UTC)
TARGET = 2.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, nargs="*", default=[1000, 100_000])
    parser.add_argument("--group", type=int, default=200, help="activities of the day, the last one measured")
    parser.add_argument("--no-statistics", action="store_true")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    met = [compare(one, options.group, not options.no_statistics) for one in options.followers]
    return 0 if all(met) else 1


def compare(followers: int, group: int, statistics: bool) -> bool:
    """Whether the last activity of a group costs no more than the target."""
    from benchmarks.server import data
    from benchmarks.server.measuring import medians, ratio

    data.prepare(0)
    slugs = ("timeline", "timeline_aggregated", "notification")
    for number, slug in enumerate(slugs):
        follow(number, slug, followers)
    if statistics:
        data.analyze()
    print(f"{followers:,} followers, {'with' if statistics else 'without'} statistics")
    held = []
    clock = iter(range(1, 10**6))
    for name, before in (("early", 3), ("late", group)):
        while (at := next(clock)) < before:
            for number in range(len(slugs)):
                add(number, at)
        calls: dict[str, Callable[[], object]] = {
            slug: (lambda number=number: add(number, next(clock))) for number, slug in enumerate(slugs)
        }
        times = medians(calls, rounds=5 if followers > 10_000 else 15, per_round=1)
        for slug, seconds in times.items():
            print(f"  {name}, {slug:<46} {seconds * 1e3:8.1f} ms")
        flat = times["timeline"]
        held += [ratio(f"{name}, {slug} over flat", times[slug] / flat, TARGET) for slug in slugs[1:]]
    return all(held)


def follow(author: int, slug: str, followers: int) -> None:
    from django.db import connection

    from benchmarks.server import data
    from django_stream.server.models import Feed, Follow

    target = Feed.objects.create(application_id=data.APP, slug="user", user_id=str(author))
    first = data.feeds(slug, followers)[0]
    now = "now()" if connection.vendor == "postgresql" else "'2026-01-01 00:00:00'"
    data.run(
        f"INSERT INTO {Follow._meta.db_table} (source_id, target_id, since_seq, created_at) "
        f"SELECT {first} + n, {target.pk}, 0, {now} FROM {data.series(followers)}"
    )


def add(author: int, at: int) -> None:
    """Activity number `at` of the day, of an author whose feed it is placed on."""
    from benchmarks.server import data
    from django_stream.protocol.feed_ids import FeedID
    from django_stream.server.actions import placements
    from django_stream.server.activity_input import activity_inputs

    time = (DAY + timedelta(seconds=at)).replace(tzinfo=None).isoformat()
    item = {"actor": f"a{at % 50}", "verb": "v", "object": str(at), "time": time}
    placements.add(data.APP, FeedID("user", str(author)), activity_inputs([item], data.APP))


if __name__ == "__main__":
    sys.exit(main())
