"""A page of 25 of a reader who follows 1,000, of whom 20 have too many followers to be brought to them.

Against the same feed of which everything was brought. Run:
`DATABASE_URL=... python -m benchmarks.server.hybrid [--activities 100000]`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

import django

PAGE, FOLLOWED, HEAVY, HEAVY_IN_ALL = 25, 1000, 20, 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--activities", type=int, default=100_000)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    return compare(options.activities)


def compare(activities: int) -> int:
    from benchmarks.server import data
    from benchmarks.server.measuring import medians, ratio
    from django_stream.protocol.feed_ids import FeedID
    from django_stream.server.timelines import Window, flat_page, hybrid_page

    data.prepare(activities)
    shares = {"2 of 100 activities are theirs": 50, "half of the activities are theirs": 2}
    for number, share in enumerate(shares.values()):
        _readers(number, activities, share)
    data.analyze()
    calls: dict[str, Callable[[], object]] = {}
    for number, name in enumerate(shares):
        feeds = {way: FeedID("timeline", f"{way}{number}") for way in ("pushed", "hybrid")}
        last = flat_page.page(data.APP, feeds["pushed"], Window(500))[-1].key
        for what, window in ((name, Window(PAGE + 1)), (f"{name}, page 20", Window(PAGE + 1, below=last))):
            pages = {"pushed": flat_page.page, "hybrid": hybrid_page.page}
            for way, page in pages.items():
                calls[f"{way}: {what}"] = lambda page=page, feed=feeds[way], window=window: page(
                    data.APP, feed, window
                )
            found = [[row.key for row in calls[f"{way}: {what}"]()] for way in pages]
            assert found[0] == found[1]
            assert len(found[0]) == PAGE + 1
    times = medians(calls)
    for name, seconds in times.items():
        print(f"  {name:<56} {seconds * 1e6:8.0f} us")
    whats = [name.removeprefix("pushed: ") for name in calls if name.startswith("pushed")]
    met = [ratio(what, times[f"hybrid: {what}"] / times[f"pushed: {what}"], 2.0) for what in whats]
    return 0 if all(met) else 1


def _readers(number: int, activities: int, share: int) -> None:
    """Two with the same feed. Each `share`th activity is of one of the 20, in turn."""
    from benchmarks.server import data
    from django_stream.server.models import (
        Feed,
        Follow,
        Placement,
        PulledFeed,
        PulledPlacement,
        TimelineEntry,
    )

    pushed, hybrid = (
        Feed.objects.create(application_id=data.APP, slug="timeline", user_id=f"{way}{number}").pk
        for way in ("pushed", "hybrid")
    )
    authors = [
        Feed(application_id=data.APP, slug="user", user_id=f"{number}-{one}")
        for one in range(FOLLOWED + HEAVY_IN_ALL)
    ]
    first = Feed.objects.bulk_create(authors)[0].pk
    Follow.objects.bulk_create(
        Follow(source_id=hybrid, target_id=first + one, since_seq=0) for one in range(FOLLOWED)
    )
    # Those whom this reader does not follow come after those whom it does.
    heavy = [*range(HEAVY), *range(FOLLOWED, FOLLOWED + HEAVY_IN_ALL - HEAVY)]
    theirs = f"n % {share} = 0"
    of_heavy, of_others = f"{first} + (n / {share}) % {HEAVY}", f"{first + HEAVY} + n % {FOLLOWED - HEAVY}"
    rows = data.series(activities)
    timeline = f"INSERT INTO {TimelineEntry._meta.db_table} (feed, key, via) "
    author = f"CASE WHEN {theirs} THEN {of_heavy} ELSE {of_others} END"
    data.run(f"{timeline} SELECT {pushed}, {data.key()}, {author} FROM {rows}")
    data.run(f"{timeline} SELECT {hybrid}, {data.key()}, {of_others} FROM {rows} WHERE NOT {theirs}")
    false = Placement._meta.get_field("targeted").get_db_prep_value(False, data.connection)
    data.run(
        f"INSERT INTO {Placement._meta.db_table} (feed_id, key, seq, targeted) "
        f"SELECT {of_heavy}, {data.key()}, n + 1, {false} FROM {rows} WHERE {theirs}"
    )
    data.run(
        f"INSERT INTO {PulledPlacement._meta.db_table} (feed, key, seq) "
        f"SELECT {of_heavy}, {data.key()}, n + 1 FROM {rows} WHERE {theirs}"
    )
    newest = dict(PulledPlacement.objects.order_by("seq").values_list("feed", "key"))
    PulledFeed.objects.bulk_create(
        PulledFeed(feed=first + one, newest_seq=activities, newest_key=newest.get(first + one))
        for one in heavy
    )


if __name__ == "__main__":
    sys.exit(main())
