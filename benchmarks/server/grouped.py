"""Time aggregated and notification reads against the flat read of as many activities.

Run: `DATABASE_URL=... python -m benchmarks.server.grouped`.
"""

from __future__ import annotations

import argparse
import os
import sys

import django

PAGE = 25


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--per-group", type=int, nargs="*", default=[1, 3, 15])
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    from django.conf import settings

    settings.STREAM_SERVER_FEED_GROUPS = {
        "user": {"kind": "flat"},
        "aggregated": {"kind": "aggregated", "aggregation_format": "{{ bucket }}"},
        "notification": {"kind": "notification", "aggregation_format": "{{ bucket }}"},
    }
    met = [compare(options.groups, per_group) for per_group in options.per_group]
    return 0 if all(met) else 1


def compare(groups: int, per_group: int) -> bool:
    from benchmarks.server import data
    from benchmarks.server.measuring import medians, ratio
    from django_stream.protocol.feed_ids import FeedID
    from django_stream.server.actions import placements
    from django_stream.server.activity_input import activity_inputs
    from django_stream.server.feed_groups import group_of
    from django_stream.server.reads import activity_groups, feeds, serializers
    from django_stream.server.timelines import Window

    data.prepare(0)
    names = {slug: FeedID(slug, "1") for slug in ("user", "aggregated", "notification")}
    for start in range(0, groups * per_group, 100):
        items = [
            {"actor": f"a{n % 50}", "verb": "v", "object": str(n), "bucket": str(n % groups)}
            for n in range(start, min(start + 100, groups * per_group))
        ]
        drafts = activity_inputs(items, data.APP)
        for name in names.values():
            placements.add(data.APP, name, drafts)
    data.analyze()

    def flat() -> object:
        page = feeds.page(data.APP, names["user"], Window(min(PAGE * min(per_group, 15), 100)))
        return [serializers.activity(row) for row in page.items]

    def grouped(slug: str) -> object:
        group = group_of(data.APP, slug)
        page = activity_groups.page(data.APP, names[slug], group, Window(PAGE))
        return [[serializers.activity(row) for row in rows] for _, rows in page.groups]

    times = medians(
        {
            "flat": flat,
            "aggregated": lambda: grouped("aggregated"),
            "notification": lambda: grouped("notification"),
        },
        rounds=15,
        per_round=10,
    )
    print(f"{groups} groups of {per_group}; flat page of {min(PAGE * min(per_group, 15), 100)}")
    for name, seconds in times.items():
        print(f"  {name:<52} {seconds * 1e6:6.0f} us")
    kinds = ("aggregated", "notification")
    # A list, so that every figure is printed.
    held = [ratio(f"{kind} over flat", times[kind] / times["flat"], 2) for kind in kinds]
    return all(held)


if __name__ == "__main__":
    sys.exit(main())
