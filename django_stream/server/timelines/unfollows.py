"""A follow that ends takes along what it brought: of very much the newest at once, and the rest in steps."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from django_stream.database.conditions import Condition, at_least, below, equal, in_query, one_of
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.server import background, feed_store
from django_stream.server.activity_rows import read_key
from django_stream.server.models import FanoutJob, Feed, Follow, TimelineEntry, UnfollowJob
from django_stream.server.timelines import group_changes
from django_stream.server.timelines.tables import ADMITS, FOLLOWED_PLACEMENTS, PLACEMENT, TIMELINE

TASK = "django_stream.server.unfollow"
LOOKED_UP = 20_000
"""So many activities of followed feeds are looked for on their followers in a request."""
AT_ONCE = 5_000
"""So many entries of one follower are looked through in a request, and in each step after it."""
# What a follower with few entries counts for at least, beside these.
_OF_A_FEED = 100


class _Piece(NamedTuple):
    """All pairs of these sides; of the newest activities of its targets, so many are looked for at once."""

    sources: Collection[int]
    targets: Collection[int]
    most: int


def take_back(database: Database, pairs: Collection[tuple[int, int]]) -> None:
    """All follows of these (source, target) pairs were deleted: what they brought goes."""
    pieces = list(_rectangles(pairs))
    left, sources_left = LOOKED_UP, sum(len(sources) for sources, _ in pieces)
    large: list[_Piece] = []
    for sources, targets in pieces:
        # What little ones leave of their share is for the others.
        most = left // sources_left
        held = _held(database, targets, most)
        if held is None:
            large.append(_Piece(sources, targets, most))
        else:
            _take_held(database, sources, targets, most)
        left -= len(sources) * (most if held is None else held)
        sources_left -= len(sources)
    if large:
        _begin(database, large)


def _held(database: Database, targets: Collection[int], most: int) -> int | None:
    """How much these targets hold; None if it is more than `most`, or does not name all that they brought.

    While a large withdrawal is under way, they hold less than they brought.
    """
    given = database.dialect.given({"feed": "bigint"}, [[target] for target in targets])
    held = database.dialect.join_each(PLACEMENT, "p", "p.feed_id = given.feed", order="p.key")
    some = f"SELECT count(*) FROM (SELECT 1 FROM {given.text} {held} LIMIT {most + 1:d}) held"
    [[number]] = database.rows(some, given.params)
    if number > most or database.exists(FanoutJob, one_of("feed", targets)):
        return None
    return int(number)


def _take_held(database: Database, sources: Collection[int], targets: Collection[int], most: int) -> None:
    """What the newest activities of targets, so many of each, have become on the sources."""
    placed = database.where(one_of("feed_id", targets))
    rows = database.dialect.in_order(f"{PLACEMENT} WHERE {placed.text}", "key", "key DESC")
    # MariaDB knows no LIMIT right inside of IN.
    newest = f"SELECT key FROM (SELECT key FROM {rows} ORDER BY key DESC LIMIT {most:d}) newest"
    held = in_query("key", Fragment(newest, placed.params))
    _take(database, one_of("feed", sources), one_of("via", targets), held)


def _begin(database: Database, pieces: Sequence[_Piece]) -> None:
    """Take the newest, and leave the rest to a job: one for all, which spares what is followed still."""
    sources = sorted({one for piece in pieces for one in piece.sources})
    targets = sorted({one for piece in pieces for one in piece.targets})
    job = UnfollowJob(feeds=sources, targets=targets, touched_at=timezone.now())
    if len(sources) == 1:
        _take_next(database, job, min(AT_ONCE, pieces[0].most))
    else:
        for piece in pieces:
            _take_held(database, *piece)
    if job.feeds:
        job.save(using=database.alias)
        background.on_commit(TASK, run_step, job.pk)


def _take(database: Database, *chosen: Condition) -> None:
    group_changes.note(database, database.query(TimelineEntry, ["feed", "key"], *chosen))
    database.delete(TimelineEntry, *chosen)


def _rectangles(pairs: Collection[tuple[int, int]]) -> Iterator[tuple[Collection[int], Collection[int]]]:
    """The pairs as (sources, targets), each standing for all pairs of its sides, in few pieces."""
    by_source: dict[int, list[int]] = defaultdict(list)
    by_target: dict[int, list[int]] = defaultdict(list)
    for source, target in pairs:
        by_source[source].append(target)
        by_target[target].append(source)
    if len(by_source) <= len(by_target):
        yield from (([source], targets) for source, targets in by_source.items())
    else:
        yield from ((sources, [target]) for target, sources in by_target.items())


def resume(idle_seconds: float) -> int:
    """Run the jobs that nothing has touched for `idle_seconds`; returns how many there were."""
    return background.resume(TASK, idle_seconds)


@retry_on_deadlock
def run_step(number: int) -> bool:
    """Take the next entries of a job off its feeds; False when they were the last ones."""
    database = Database.to_write(TimelineEntry)
    with transaction.atomic(using=database.alias):
        jobs = UnfollowJob.objects.using(database.alias).filter(pk=number)
        targets = jobs.values_list("targets", flat=True).first()
        if targets is None:
            return False
        # Whoever follows one of them again waits, and so do other workers.
        feed_store.lock(Feed.objects.using(database.alias).filter(pk__in=targets))
        job = jobs.first()
        if job is None:
            return False
        _take_next(database, job, AT_ONCE)
        if not job.feeds:
            jobs.delete()
            return False
        jobs.update(feeds=job.feeds, before=job.before, touched_at=timezone.now())
        return True


def _take_next(database: Database, job: UnfollowJob, left: int) -> None:
    """What the targets brought and no follow admits by now, of so many entries of the job's feeds."""
    while job.feeds and left > 0:
        feed = job.feeds[0]
        within: list[Condition] = [equal("feed", feed)]
        within += [below("key", job.before)] if job.before else []
        floor = _floor(database, within, left)
        part = [at_least("key", floor)] if floor else []
        # Before they go.
        number = 0 if floor else _number(database, within)
        _take(database, *within, *part, one_of("via", job.targets), *_left_over(database, feed, job.targets))
        if floor is None:
            job.feeds, job.before = job.feeds[1:], None
            left -= max(number, _OF_A_FEED)
        else:
            job.before, left = floor, 0


def _left_over(database: Database, feed: int, targets: Collection[int]) -> Iterator[Condition]:
    """That no follow of by now admits an entry: asked of each, if there is any such follow."""
    if database.exists(Follow, equal("source_id", feed), one_of("target_id", targets)):
        yield Fragment(
            f"(SELECT 1 FROM {FOLLOWED_PLACEMENTS} WHERE p.feed_id = {TIMELINE}.via "
            f"AND p.key = {TIMELINE}.key AND f.source_id = {TIMELINE}.feed "
            f"AND f.target_id = {TIMELINE}.via AND {ADMITS} LIMIT 1) IS NULL"
        )


def _floor(database: Database, within: Sequence[Condition], number: int) -> uuid.UUID | None:
    """The key of the last of so many entries, newest first; None if there are fewer."""
    where = database.where(*within)
    rows = database.dialect.in_order(f"{TIMELINE} WHERE {where.text}", "key", "key DESC")
    last = f"SELECT key FROM {rows} ORDER BY key DESC LIMIT 1 OFFSET {number - 1:d}"
    found = database.rows(last, where.params)
    return read_key(found[0][0]) if found else None


def _number(database: Database, within: Sequence[Condition]) -> int:
    [[number]] = database.select(TimelineEntry, [lambda dialect: "count(*)"], *within)
    return int(number)


background.register(TASK, UnfollowJob, run_step)
