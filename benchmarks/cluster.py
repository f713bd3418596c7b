"""Timelines on a Redis Cluster beside commands written by hand: `python -m benchmarks.cluster`.

Starts PostgreSQL and six nodes of its own. A thousand timelines are full, and one author is followed by all
of them. By hand, redis-py is sent `ZADD` and `ZREMRANGEBYRANK` in a pipeline, and a page is `ZREVRANGE`
and one query for the activities. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.capacity.measure import servers
from benchmarks.written import rewrite

PAGE, FOLLOWERS, KEPT, ACTIVITIES = 25, 1000, 1000, 100_000
_HAND = "hand:{0}"


@dataclass(frozen=True)
class Measured:
    """How long something takes here and by hand, in milliseconds."""

    what: str
    here: float
    by_hand: float
    by: str
    longest: float
    """Times as long as by hand that it may take."""

    @property
    def is_met(self) -> bool:
        return self.here <= self.longest * self.by_hand

    @property
    def row(self) -> str:
        ratio = f"{self.here / self.by_hand:.2f}x ({self.longest}x)"
        return f"| {self.what} | {self.here:.2f} | {self.by_hand:.2f} | {ratio} | {self.by} |"


class Timelines:
    """A thousand full timelines, of the store and by hand."""

    def __init__(self) -> None:
        from benchmarks.server import data
        from django_stream.server.models import Follow
        from django_stream.server.timelines.clustered.store import ClusteredTimelines

        data.prepare(ACTIVITIES)
        self.store = ClusteredTimelines(os.environ["CLUSTER_URL"])
        self.author, self.past = data.feeds("user", 2)
        self.readers = data.feeds("timeline", FOLLOWERS)
        Follow.objects.bulk_create(
            Follow(source_id=reader, target_id=followed, since_seq=0)
            for followed in (self.past, self.author)
            for reader in self.readers
        )
        _place(self.past)
        data.analyze()
        self._fill()

    def _fill(self) -> None:
        for number in range(FOLLOWERS):
            self.page(number)
        with self.hand() as client:
            held, _ = self.store.everything(self.readers[0]) or ([], True)
            assert len(held) == KEPT
            newest = {entry.packed: KEPT - place for place, entry in enumerate(held)}
            for reader in self.readers:
                client.zadd(_HAND.format(reader), newest)

    def hand(self) -> Any:
        from redis.cluster import RedisCluster

        return RedisCluster.from_url(os.environ["CLUSTER_URL"].partition(",")[0])

    def page(self, number: int) -> Sequence[object]:
        from benchmarks.server import data
        from django_stream.protocol.feed_ids import FeedID
        from django_stream.server.timelines import Window

        return self.store.page(data.APP, FeedID("timeline", str(number)), Window(PAGE + 1))


def _place(feed: int) -> None:
    """Everything there is, on this feed."""
    from benchmarks.server import data
    from django_stream.server.models import Placement

    data.run(
        f"INSERT INTO {Placement._meta.db_table} (feed_id, key, seq, targeted) "
        f"SELECT {feed}, {data.key()}, n + 1, false FROM {data.series(KEPT)}"
    )


def additions(timelines: Timelines) -> Measured:
    """An activity comes to all timelines: the commands alone."""
    from django_stream.server.timelines.clustered import scripts
    from django_stream.server.timelines.clustered.changes import key_of
    from django_stream.server.timelines.clustered.members import Entry

    numbers, client = count(1), timelines.hand()

    def member() -> bytes:
        return Entry(uuid.UUID(int=(1 << 127) + next(numbers)), timelines.author).packed

    def here() -> None:
        drawn, entry = 1_000_000 + next(numbers), member()
        timelines.store.cluster.run_all(
            scripts.ADD, ((key_of(reader), [drawn, entry]) for reader in timelines.readers)
        )

    def by_hand() -> None:
        score, entry = KEPT + next(numbers), member()
        with client.pipeline() as pipeline:
            for reader in timelines.readers:
                pipeline.zadd(_HAND.format(reader), {entry: score})
                pipeline.zremrangebyrank(_HAND.format(reader), 0, -KEPT - 1)
            pipeline.execute()

    times = _medians(here, by_hand, per_round=1)
    by = "pipelined `ZADD` and `ZREMRANGEBYRANK`"
    return Measured(f"an activity to {FOLLOWERS:,} timelines", *times, by, 2.0)


def pages(timelines: Timelines) -> Iterator[Measured]:
    """A reader's first page with its activities; by hand without and with a look at what is on its way."""
    from benchmarks.server import data
    from django_stream.server.models import Activity, Feed, TimelineChange

    client, numbers = timelines.hand(), count()
    wanted = 'key, actor, verb, object, target, foreign_id, "to", extra, group_names, is_erased'

    def here() -> None:
        assert len(timelines.page(next(numbers) % FOLLOWERS)) == PAGE + 1

    def by_hand() -> None:
        reader = timelines.readers[next(numbers) % FOLLOWERS]
        members = client.zrevrange(_HAND.format(reader), 0, PAGE)
        keys = [uuid.UUID(bytes=member[1:17]) for member in members]
        found = asked(
            f"SELECT {wanted} FROM {Activity._meta.db_table} WHERE application_id = %s AND key = ANY(%s)",
            [data.APP, keys],
        )
        assert len({row[0]: row for row in found}) == PAGE + 1

    def by_hand_and_sure() -> None:
        number = str(next(numbers) % FOLLOWERS)
        [(_, is_changing)] = asked(
            f"SELECT f.id, EXISTS (SELECT 1 FROM {TimelineChange._meta.db_table} c WHERE c.feed = f.id) "
            f"FROM {Feed._meta.db_table} f WHERE application_id = %s AND slug = %s AND user_id = %s",
            [data.APP, "timeline", number],
        )
        assert not is_changing
        by_hand()

    def asked(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        with data.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return [*cursor.fetchall()]

    name = f"a page of {PAGE}, with its activities"
    for hand, by in (
        (by_hand, "`ZREVRANGE` and one query"),
        (by_hand_and_sure, "and a query for what is on its way"),
    ):
        yield Measured(name, *_medians(here, hand, per_round=20), by, 1.5)


def _medians(here: Callable[[], None], by_hand: Callable[[], None], *, per_round: int) -> tuple[float, float]:
    from benchmarks.server.measuring import medians

    times = medians({"here": here, "by hand": by_hand}, per_round=per_round)
    return times["here"] * 1000, times["by hand"] * 1000


def lines(found: Sequence[Measured], others: float) -> Iterator[str]:
    """As a part of a page of the documentation."""
    yield f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores with a load of {others:.0f} by others, with"
    yield "PostgreSQL and all six nodes on them:"
    yield ""
    yield "| what | ms here | ms by hand | ratio (target) | by hand with redis-py |"
    yield "| --- | --- | --- | --- | --- |"
    yield from (one.row for one in found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--write", type=Path, help="the page whose table of this is written anew")
    options = parser.parse_args()
    others = os.getloadavg()[0]
    with servers():
        timelines = Timelines()
        # Pages first, before timelines are told of what is no activity.
        found = [*pages(timelines), additions(timelines)]
    print("\n".join(lines(found, others)))
    if options.write:
        rewrite("cluster", lines(found, others), options.write)
    return 0 if all(one.is_met for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
