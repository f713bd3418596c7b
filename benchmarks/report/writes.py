"""What writing costs: a create, fan-out to groups, follows, unfollows and removals."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.report import data
from benchmarks.report.models import Photo, Post, Silent
from benchmarks.report.rows import Row, Timed, in_turns, timed
from benchmarks.server.data import run, series
from django_stream.operations.backfill import Options, backfill
from django_stream.operations.selection import Selection
from django_stream.protocol.feed_ids import FeedID
from django_stream.publishing.publisher import publisher_for
from django_stream.server import feed_store
from django_stream.server.actions import follows, placements, removal_jobs
from django_stream.server.activity_input import activity_inputs
from django_stream.server.models import Feed, Follow
from django_stream.server.timelines.admission import keys_of_foreign_id
from django_stream.tracking import activities_paused
from django_stream.wakeup import waker

_numbers = itertools.count()
_UNKNOWN = ", without statistics"
_NEWS = ("timeline", "timeline_aggregated")


def create_rows(followers: int, rounds: int) -> Iterator[Row]:
    """`create()` without Celery, default feeds: against the bare save, and with followers against none.

    With followers it is asked in a request, whose visitor waits; and until the thread that brings it to them
    has done so, against one transaction that does all of it.
    """
    lonely, popular = (
        User.objects.create(username=f"{name}-{uuid.uuid4()}") for name in ("lonely", "popular")
    )
    for slug in _NEWS:
        follow(str(popular.pk), slug, followers)
    calls = {
        "bare": timed(lambda: Silent.objects.create(user=lonely, title="x"), 5),
        "none": timed(lambda: Post.objects.create(user=lonely, title="x"), 5),
        "many": in_request(lambda: Post.objects.create(user=popular, title="x"), until_all=False),
        "all": in_request(lambda: Post.objects.create(user=popular, title="x"), until_all=True),
        "together": timed(lambda: Post.objects.create(user=popular, title="x")),
    }
    found = in_turns(calls, rounds)
    yield Row(
        "create() without Celery, no followers", found["none"], 10, against="save()", limit=found["bare"]
    )
    name = f"create() without Celery, {followers:,} followers"
    yield Row(name, found["many"], 2, against="without followers", limit=found["none"])
    until = f"{name}, until all have it"
    yield Row(until, found["all"], 1.5, against="all in one transaction", limit=found["together"])
    with CaptureQueriesContext(connection) as queries:
        Post.objects.create(user=lonely, title="x")
    count = sum(not one["sql"].startswith(("BEGIN", "COMMIT")) for one in queries)
    yield Row("create() without Celery", float(count), 20, "statements")


def in_request(call: Callable[[], object], *, until_all: bool) -> Timed:
    """What a visitor waits for; or until the threads of the process have done the rest."""

    def run() -> float:
        request_started.send(None)
        started = time.perf_counter()
        call()
        answered = time.perf_counter()
        request_finished.send(None)
        assert waker.flush(60)
        return (time.perf_counter() if until_all else answered) - started

    return run


def backfill_rows(rows: int) -> Iterator[Row]:
    """Publishing rows from before into embedded feeds: milliseconds for each, authors in turns."""
    users = [User.objects.create(username=f"earlier-{uuid.uuid4()}") for _ in range(50)]
    with activities_paused():
        Photo.objects.bulk_create(Photo(user=users[n % 50], title="earlier") for n in range(rows))
    publisher = publisher_for(Photo._meta.label)
    assert publisher is not None
    options = Options(selection=Selection(where={"title": "earlier"}))
    started = time.perf_counter()
    report = backfill("benchmark", publisher, options, lambda _: None)
    taken = (time.perf_counter() - started) * 1000 / rows
    assert report.published == rows
    yield Row(f"embedded backfill of {rows:,}, for each row", taken, 0.25)


def fanout_rows(followers: int, late: int, rounds: int, *, statistics: bool) -> Iterator[Row]:
    """One activity to grouped feeds against as many flat ones, early and late in the group of a day."""
    authors = {slug: f"author-{uuid.uuid4()}" for slug in ("timeline", "timeline_aggregated", "notification")}
    for slug, author in authors.items():
        follow(author, slug, followers)
    if statistics:
        run("ANALYZE")
    known = "" if statistics else _UNKNOWN
    for before in (3, late):
        for number in range(before):
            for author in authors.values():
                post(author, number)
        calls = {
            slug: timed(lambda author=author: post(author, next(_numbers)))
            for slug, author in authors.items()
        }
        found = in_turns(calls, rounds)
        for slug in ("timeline_aggregated", "notification"):
            yield Row(
                f"fan-out to {followers:,} {slug} feeds, {before} before it in the group{known}",
                found[slug],
                2.5,
                against="flat feeds",
                limit=found["timeline"],
            )


def statistics_rows(without: Sequence[Row], analyzed: Sequence[Row]) -> Iterator[Row]:
    """The same fan-outs with the statistics of ANALYZE and without them."""
    taken = {row.name.removesuffix(_UNKNOWN): row.ours for row in without}
    for row in analyzed:
        if row.name in taken:
            yield Row(f"{row.name}{_UNKNOWN}", taken[row.name], 1.2, against="with them", limit=row.ours)


def follow(author: str, slug: str, followers: int) -> None:
    """So many new feeds of a group follow an author."""
    target, _ = Feed.objects.get_or_create(application_id=data.application(), slug="user", user_id=author)
    named = [
        Feed(application_id=data.application(), slug=slug, user_id=f"{author}-{n}") for n in range(followers)
    ]
    Feed.objects.bulk_create(named, batch_size=5000)
    first = Feed.objects.filter(slug=slug, user_id__startswith=f"{author}-").order_by("pk")[0].pk
    run(
        f"INSERT INTO {Follow._meta.db_table} (source_id, target_id, since_seq, created_at) "
        f"SELECT {first} + n, {target.pk}, 0, '2026-01-01 00:00:00' FROM {series(followers)}"
    )


def post(author: str, number: int) -> None:
    moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(microseconds=next(_numbers))
    item = {"actor": f"a{number % 50}", "verb": "v", "object": str(number), "time": moment.isoformat()}
    placements.add(data.application(), FeedID("user", author), activity_inputs([item], data.application()))


def change_rows(reader: User, activities: int, rounds: int) -> Iterator[Row]:
    """Removal by foreign_id, follow and unfollow beside a million others; milliseconds are the target."""
    app, feed = data.application(), FeedID("timeline", str(reader.pk))
    author = f"historian-{uuid.uuid4()}"
    items = [{"actor": "a", "verb": "v", "object": str(n), "foreign_id": f"h:{n}"} for n in range(100)]
    for _ in range(20):
        placements.add(app, FeedID("user", author), activity_inputs(items, app))
    new, old = (
        follows.Following(feed, FeedID("user", author), 100),
        follows.Unfollowing(feed, FeedID("user", author)),
    )
    home = FeedID("user", author)
    home_id = feed_store.find(app, [home])[home].pk
    numbers = itertools.count()

    def remove() -> None:
        removal_jobs.remove(app, home, f"h:{next(numbers)}")

    found = in_turns(
        {
            "follow": timed(lambda: follows.follow_many(app, [new])),
            "unfollow": timed(lambda: follows.unfollow_many(app, [old])),
            "find": timed(lambda: keys_of_foreign_id(app, f"h:{next(numbers)}", home_id, most=500), 5),
            "remove": timed(remove),
        },
        rounds,
    )
    beside = f"beside {activities:,} activities"
    yield Row(f"follow an author of 2,000 activities, {beside}", found["follow"], 5)
    yield Row(f"unfollow, on a feed of {activities:,}", found["unfollow"], 5)
    yield Row(f"find by foreign_id {beside}", found["find"], 1)
    yield Row(f"remove by foreign_id {beside}", found["remove"], 10)
