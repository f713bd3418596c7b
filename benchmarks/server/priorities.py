"""A small author posts while celebrities' posts go out to their followers: how much longer that takes.

Run: `DATABASE_URL=... python -m benchmarks.server.priorities [--followers 1000000]`. Two processes work on
the large fan-outs as workers do: each takes a step of whatever waited longest. A third one posts for a small
author, whose followers are the celebrities' too, and for a middling one, whose fan-out is a job as well and
waits in the same queue.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import django

SMALL, MIDDLING, CELEBRITIES = 200, 8_000, 2
_numbers = count()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=1_000_000)
    parser.add_argument("--posts", type=int, default=30)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    return compare(options.followers, options.posts)


def compare(followers: int, posts: int) -> int:
    from benchmarks.server.measuring import ratio
    from django_stream.server.models import FanoutJob

    _prepare(followers)
    context = multiprocessing.get_context("spawn")
    queue, stopped = context.Queue(), context.Event()
    workers = [context.Process(target=_worker, args=[queue, stopped]) for _ in range(2)]
    for worker in workers:
        worker.start()
    idle, busy = _Measured(queue), _Measured(queue)
    try:
        idle.run(posts)
        for number in range(CELEBRITIES):
            _post(f"celebrity{number}", queue)
        busy.run(posts, _are_under_way)
        while FanoutJob.objects.exists():
            time.sleep(0.1)
        idle.run(posts)
    finally:
        stopped.set()
        for worker in workers:
            worker.join()
    print(f"  {len(busy.seconds['small'])} posts while {CELEBRITIES} x {followers:,} followers were served")
    met = [
        ratio(f"{name} author, over idle ({seconds * 1000:.1f} ms)", busy.median(name) / seconds, 2.0)
        for name in ("small", "middling")
        for seconds in [idle.median(name)]
    ]
    return 0 if all(met) else 1


def _are_under_way() -> bool:
    from django_stream.server.models import FanoutJob

    return FanoutJob.objects.exists()


class _Measured:
    """How long posts take until the last of their followers sees them."""

    def __init__(self, queue: Any) -> None:
        self.queue = queue
        self.seconds: dict[str, list[float]] = {"small": [], "middling": []}

    def run(self, posts: int, while_: Callable[[], bool] | None = None) -> None:
        for _ in range(posts):
            if while_ and not while_():
                return
            for name, followers in (("small", SMALL), ("middling", MIDDLING)):
                began = time.perf_counter()
                activity = _post(name, self.queue)
                while not _is_seen(f"{followers}", activity):
                    time.sleep(0.001)
                self.seconds[name].append(time.perf_counter() - began)

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])


def _prepare(followers: int) -> None:
    from django.db import connection

    from benchmarks.server import data
    from django_stream.server.models import Feed, Follow

    data.prepare(1000)
    now = "now()" if connection.vendor == "postgresql" else "'2026-01-01 00:00:00'"
    first = _feed("0", "timeline") + 1
    data.run(
        f"INSERT INTO {Feed._meta.db_table} (id, application_id, slug, user_id, version, created_at) "
        f"SELECT {first} + n, {data.APP}, 'timeline', n + 1, 0, {now} FROM {data.series(followers)}"
    )
    if connection.vendor == "postgresql":
        data.run(f"SELECT setval(pg_get_serial_sequence('{Feed._meta.db_table}', 'id'), {first + followers})")
    names = {"small": SMALL, "middling": MIDDLING}
    names |= {f"celebrity{number}": followers for number in range(CELEBRITIES)}
    for name, number in names.items():
        author = _feed(name)
        data.run(
            f"INSERT INTO {Follow._meta.db_table} (source_id, target_id, since_seq, created_at) "
            f"SELECT {first} + n, {author}, 0, {now} FROM {data.series(number)}"
        )
    data.analyze()


def _feed(name: str, slug: str = "user") -> int:
    from benchmarks.server import data
    from django_stream.server.models import Feed

    return int(Feed.objects.create(application_id=data.APP, slug=slug, user_id=name).pk)


def _post(name: str, queue: Any) -> str:
    """Post, and put what it leaves to workers into the queue."""
    from benchmarks.server import data
    from django_stream.protocol.feed_ids import FeedID
    from django_stream.server import background
    from django_stream.server.actions import placements
    from django_stream.server.activity_input import activity_inputs

    def hand_on(task: str, step: Callable[[int], bool], job_id: int) -> None:
        queue.put(job_id)

    background._hand_on = hand_on
    draft = activity_inputs([{"actor": name, "verb": "v", "object": str(next(_numbers))}], data.APP)
    [activity] = placements.add(data.APP, FeedID("user", name), draft)
    return str(activity.activity_id)


def _is_seen(reader: str, activity: str) -> bool:
    from benchmarks.server import data
    from django_stream.protocol.feed_ids import FeedID
    from django_stream.server.timelines import Window, timelines

    page = timelines().page(data.APP, FeedID("timeline", reader), Window(25))
    return any(row.activity_id == activity for row in page)


def _worker(queue: Any, stopped: Any) -> None:
    """One step of the job at hand, which then waits behind the others."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    from queue import Empty

    from django_stream.server.fanout.jobs import run_step

    while not stopped.is_set():
        try:
            job_id = queue.get(timeout=0.1)
        except Empty:
            continue
        if run_step(job_id):
            queue.put(job_id)


if __name__ == "__main__":
    sys.exit(main())
