"""Time a page of 25 through the server's read function against the raw prepared statement.

Both run on the same connection settings and the same rows, in turns. Run:
`DATABASE_URL=... python -m benchmarks.server.pages [--activities 1000000]`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

import django

PAGE = 25


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--activities", type=int, default=1_000_000)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    return compare(options.activities)


def compare(largest: int) -> int:
    from django.db import connection

    from benchmarks.server import data
    from benchmarks.server.measuring import medians, ratio
    from django_stream.protocol.feed_ids import FeedID
    from django_stream.server.reads import feeds
    from django_stream.server.timelines import Window

    sizes = [size for size in (10_000, 100_000, 1_000_000) if size <= largest]
    data.prepare(largest)
    followed = data.feeds("user", 1000)
    timelines = data.feeds("timeline", len(sizes) + 3)
    names: dict[str, str] = {}
    for number, size in enumerate(sizes):
        data.timeline(timelines[number], size, followed[:100])
        names[f"{size:,} activities, 100 followed"] = str(number)
    for number, many in enumerate((10, 100, 1000), start=len(sizes)):
        data.timeline(timelines[number], sizes[0], followed[:many])
        names[f"{sizes[0]:,} activities, {many:,} followed"] = str(number)
    data.analyze()

    raw = raw_reader(connection)
    calls: dict[str, Callable[[], object]] = {}
    for name, user_id in names.items():
        feed_id = FeedID("timeline", user_id)
        number = timelines[int(user_id)]
        calls[f"raw {name}"] = lambda number=number: raw(number)
        calls[f"own {name}"] = lambda feed_id=feed_id: feeds.page(data.APP, feed_id, Window(PAGE))
        assert len(raw(number)) == PAGE + 1
        assert len(feeds.page(data.APP, feed_id, Window(PAGE)).items) == PAGE
    times = medians(calls)
    for name, seconds in times.items():
        print(f"  {name:<56} {seconds * 1e6:8.0f} us")
    most = 1.5 if connection.vendor == "postgresql" else 2.0
    met = [ratio(name, times[f"own {name}"] / times[f"raw {name}"], most) for name in names]
    own = [times[f"own {name}"] for name in names]
    met.append(ratio("slowest over fastest of all of these", max(own) / min(own), 1.2))
    return 0 if all(met) else 1


def raw_reader(connection: object) -> Callable[[int], list[tuple[object, ...]]]:
    """The statement a person would write, prepared where the database prepares."""
    from benchmarks.server.data import APP

    columns = 'a.actor, a.verb, a.object, a.target, a.foreign_id, a."to", a.extra, o.slug, o.user_id'
    text = (
        "SELECT t.key, {} FROM django_stream_server_timelineentry t "
        "JOIN django_stream_server_activity a ON a.application_id = {} AND a.key = t.key "
        "LEFT JOIN django_stream_server_feed o ON o.id = t.via "
        "WHERE t.feed = {} ORDER BY t.key DESC LIMIT {}"
    )
    if connection.vendor == "postgresql":
        import psycopg

        raw = psycopg.connect(connection.connection.info.dsn, autocommit=True)
        prepared = text.format(columns, APP, "%s", PAGE + 1)
        return lambda feed: raw.execute(prepared, [feed], prepare=True).fetchall()
    import sqlite3

    lite = sqlite3.connect(connection.settings_dict["NAME"])
    plain = text.format(columns, APP, "?", PAGE + 1)
    return lambda feed: lite.execute(plain, [feed]).fetchall()


if __name__ == "__main__":
    sys.exit(main())
