"""The same on a real site: a process that people ask, a worker, and PostgreSQL."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Callable, Sequence
from multiprocessing.queues import Queue
from statistics import median
from typing import Any

import django

from benchmarks import processors
from benchmarks.simulation.model import Costs, Machine, Outcome
from benchmarks.simulation.population import Step

# A slowest hundredth takes hundreds of measurements.
_SAMPLES, _FEW = 500, 15
_BUSY = "busy"


def fill(followers: Sequence[int]) -> None:
    """Users, and who follows whom, as a backfill and a sync would have left them."""
    from django.contrib.auth.models import User

    from django_stream.server.conf import server_settings
    from django_stream.server.feed_store import ensure_application
    from django_stream.server.models import Feed, Follow

    application = server_settings.own_app_id
    ensure_application(application)
    users = User.objects.bulk_create(User(username=f"user{number}") for number in range(len(followers)))
    authors, readers = (
        Feed.objects.bulk_create(
            Feed(application_id=application, slug=slug, user_id=str(user.pk)) for user in users
        )
        for slug in ("user", "timeline")
    )
    Follow.objects.bulk_create(
        (
            Follow(source=readers[(author + 1 + number) % len(readers)], target=authors[author], since_seq=0)
            for author, count in enumerate(followers)
            for number in range(count)
        ),
        batch_size=5000,
    )
    _past(users, sum(followers))


def _past(users: Sequence[Any], follows: int) -> None:
    """So many posts that pages are full on average."""
    from benchmarks.report.models import Post

    chance = random.Random(1)
    posts = 25 * len(users) ** 2 // max(follows, 1)
    Post.objects.bulk_create(Post(user=chance.choice(users), title="a post") for _ in range(posts))
    publish()


def measured(followers: Sequence[int]) -> Costs:
    """What things cost on this machine while it does nothing else; nothing is left to be published."""
    busy_before, began = _busy(), time.monotonic()
    with_followers = 0
    unknown = min(range(len(followers)), key=lambda user: followers[user])
    nothing = [_drained([unknown]) for _ in range(_SAMPLES)]
    many = [_drained([unknown] * 50) for _ in range(_FEW)]
    famous = [_drained([with_followers]) for _ in range(_FEW)]
    looks = [_timed(publish) for _ in range(_SAMPLES)]
    saves = [_timed(lambda: save(unknown)) for _ in range(_SAMPLES)]
    publish()
    chance = random.Random(1)
    pages = [_timed(lambda: page(chance.randrange(len(followers)))) for _ in range(_SAMPLES)]
    alone = median(nothing)
    activity = (median(many) - alone) / 49
    return Costs(
        saves=saves,
        pages=pages,
        batch=max(alone - activity, 0.0),
        activity=activity,
        follower=max(median(famous) - alone, 0.0) / max(followers[with_followers] - followers[unknown], 1),
        look=median(looks),
        drains=[one / alone for one in nothing],
        cores=(_busy() - busy_before) / (time.monotonic() - began),
    )


def lived(steps: Sequence[Step], machine: Machine) -> Outcome:
    """What people noticed; the steps are those of real time."""
    context = multiprocessing.get_context("spawn")
    told: Queue[tuple[str, float]] = context.Queue()
    stop, ready, beginning = context.Event(), context.Semaphore(0), context.Value("d", 0.0)
    begun = (stop, told, ready, beginning)
    web = [
        context.Process(target=_web, args=(steps[number :: machine.web], *begun))
        for number in range(machine.web)
    ]
    workers = [
        context.Process(target=_work, args=(machine.looks_every, *begun)) for _ in range(machine.workers)
    ]
    outcome, posts = Outcome(), sum(step.is_post for step in steps)
    for one in (*web, *workers):
        one.start()
    for _ in (*web, *workers):
        ready.acquire()
    began = time.monotonic()
    beginning.value = time.time()
    while len(outcome.lags) < posts or len(outcome.pages) < len(steps) - posts:
        what, seconds = told.get(timeout=120)
        getattr(outcome, what).append(seconds)
    lasted = time.monotonic() - began
    stop.set()
    for _ in (*web, *workers):
        what, seconds = told.get(timeout=120)
        while what != _BUSY:
            what, seconds = told.get(timeout=120)
        outcome.load += seconds / lasted
    for one in (*web, *workers):
        one.join()
    return outcome


def _web(steps: Sequence[Step], stop: Any, told: Any, ready: Any, beginning: Any) -> None:
    _set_up()
    page(0)  # what is imported once is no part of a page
    _wait(ready, beginning)
    busy_before = _busy()
    for moment, user, is_post in steps:
        time.sleep(max(beginning.value + moment - time.time(), 0.0))
        if is_post:
            # Since when it is late is what its row says.
            save(user, at=beginning.value + moment)
        else:
            page(user)
            told.put(("pages", time.time() - beginning.value - moment))
    stop.wait()
    told.put((_BUSY, _busy() - busy_before))


def _work(looks_every: float, stop: Any, told: Any, ready: Any, beginning: Any) -> None:
    _set_up()
    from benchmarks.report.models import Post
    from django_stream.signals import changes_published

    keys: list[str] = []

    def note(**sent: Any) -> None:
        keys.extend(sent["keys"])

    # What was left from before is no part of the run.
    publish()
    changes_published.connect(note, weak=False)
    _wait(ready, beginning)
    busy_before = _busy()
    while not stop.is_set():
        if not publish():
            stop.wait(looks_every)
        for created_at in Post.objects.filter(pk__in=keys).values_list("created_at", flat=True):
            told.put(("lags", time.time() - created_at.timestamp()))
        keys.clear()
    told.put((_BUSY, _busy() - busy_before))


def _wait(ready: Any, beginning: Any) -> None:
    ready.release()
    while not beginning.value:
        time.sleep(0.01)


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.simulation.settings"
    django.setup()
    from celery import Celery

    # There are workers; they look by themselves.
    Celery(broker="memory://").set_current()


def _user(number: int) -> Any:
    from django.contrib.auth.models import User

    return User.objects.get(username=f"user{number}")


def save(user: int, at: float | None = None) -> None:
    from datetime import UTC, datetime

    from benchmarks.report.models import Post

    moment = {} if at is None else {"created_at": datetime.fromtimestamp(at, UTC)}
    Post.objects.create(user=_user(user), title="a post", **moment)


def page(user: int) -> None:
    from django_stream import feeds

    list(feeds.timeline(_user(user)).page(limit=25))


def publish() -> int:
    """Publish what is due, to the last follower of each; how many rows it was."""
    from django_stream.publishing.drain import drain
    from django_stream.server.fanout import jobs

    count = drain().published
    # The largest fan-outs are jobs, and this is who does them.
    if count:
        jobs.resume(0.0)
    return count


def _drained(authors: Sequence[int]) -> float:
    """Seconds of a drain of one post of each."""
    for author in authors:
        save(author)
    return _timed(publish)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _busy() -> float:
    """Seconds of the processor that this process has had, with the database's own one for it."""
    from django.db import connection

    of_database = 0.0
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            of_database = processors.seconds(cursor.fetchone()[0])
    return time.process_time() + of_database
