"""Fan-out: at once for few followers, in chunks that survive a crash for many."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection
from contextlib import nullcontext, suppress

from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils import timezone

from django_stream.database.bulk_sql import among
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.requests import is_in_request
from django_stream.server import background
from django_stream.server.conf import server_settings
from django_stream.server.fanout.pace import pace
from django_stream.server.feed_store import database, lock
from django_stream.server.models import FanoutJob, Feed, Follow
from django_stream.server.timelines import timelines
from django_stream.server.timelines.admission import with_more_followers
from django_stream.wakeup import has_workers

logger = logging.getLogger("django_stream.server")

FAN_OUT_TASK = "django_stream.server.fan_out"

# So many first steps of others come before a further one, so that a large fan-out never stands still.
_FIRST_STEPS = 10


def deliver(changed: Collection[tuple[int, uuid.UUID]], *, forwarded: bool = True) -> None:
    """Bring new placements to their feeds and, if forwarded, to the followers."""
    feeds, keys = {feed for feed, _ in changed}, {key for _, key in changed}
    kept = timelines().keep_back(changed) if forwarded else set()
    timelines().placed(kept, keys, own_only=True)
    feeds -= kept
    large = _large_feeds(feeds, len(keys)) if forwarded else set()
    timelines().placed(feeds - large, keys, own_only=not forwarded)
    timelines().placed(large, keys, own_only=True)
    _start_jobs(large, keys, FanoutJob.Change.PLACED)


def withdraw(feeds: Collection[int], keys: Collection[uuid.UUID]) -> None:
    """Take deleted placements and what is newly excluded off the feeds and their followers."""
    large = _large_feeds(feeds, len(keys))
    timelines().withdrawn(set(feeds) - large, keys)
    timelines().withdrawn(large, keys, own_only=True)
    _start_jobs(large, keys, FanoutJob.Change.WITHDRAWN)


def regroup(feeds: Collection[int], keys: Collection[uuid.UUID]) -> None:
    """Put activities with changed actors or group names into the right groups of the feeds and followers."""
    large = _large_feeds(feeds, len(keys))
    timelines().edited(set(feeds) - large, keys)
    timelines().edited(large, keys, own_only=True)
    _start_jobs(large, keys, FanoutJob.Change.EDITED)


def run(job_id: int) -> None:
    """Run a large fan-out to its end, one step in each transaction. Several may run it at the same time."""
    while run_step(job_id):
        pass


def run_step(job_id: int) -> bool:
    """The next step of a fan-out, after the first ones of those that have had none; False if it was the last.

    One step is all that most need, so they pass by those of the largest followings, whoever runs these.
    """
    jobs = FanoutJob.objects.using(database())
    if jobs.filter(pk=job_id, position__gt=0).exists():
        waiting = jobs.filter(position=0).order_by("touched_at", "pk").values_list("pk", flat=True)
        for number in waiting[:_FIRST_STEPS]:
            _first_step(number)
    return run_chunk(job_id)


def _first_step(job_id: int) -> None:
    """That of another job, whose failure is its own."""
    try:
        run_chunk(job_id, is_first=True)
    except Exception:
        logger.exception("the fan-out %s failed, and stays", job_id)
        with suppress(DatabaseError):  # others come before it the next time
            FanoutJob.objects.using(database()).filter(pk=job_id).update(touched_at=timezone.now())


def resume(idle_seconds: float) -> int:
    """Run the fan-outs that nothing has touched for `idle_seconds`; returns how many there were."""
    return background.resume(FAN_OUT_TASK, idle_seconds)


def _large_feeds(feeds: Collection[int], activities: int) -> set[int]:
    """The feeds with more followers, present and past, than the writer's transaction should serve.

    It serves so many rows of timelines and no more, however many feeds and activities there are.
    """
    most = _most_rows() // max(activities, 1)
    if len(feeds) > 1 and not _has_more(feeds, most):
        return set()
    each = most // max(len(feeds), 1)
    return with_more_followers(feeds, each)


def _most_rows() -> int:
    """Beyond what takes about as long as all else of a post, no visitor waits for the rows of others.

    With workers the one who waits is a worker, for whom a further task costs more than the rows.
    """
    most = server_settings.FANOUT_INLINE_MAX
    return min(most, server_settings.FANOUT_REQUEST_MAX) if is_in_request() and not has_workers() else most


def _has_more(feeds: Collection[int], most: int) -> bool:
    """Whether the feeds have more followers than this, all together."""
    follows = Follow.objects.using(database()).filter(among("target_id", feeds, database()))
    return follows.order_by()[: most + 1].count() > most


def _start_jobs(feeds: Collection[int], keys: Collection[uuid.UUID], change: FanoutJob.Change) -> None:
    stored, now = [str(key) for key in keys], timezone.now()
    jobs = [FanoutJob(feed=feed, keys=stored, change=change, touched_at=now) for feed in sorted(feeds)]
    for job in FanoutJob.objects.using(database()).bulk_create(jobs):
        background.on_commit(FAN_OUT_TASK, run_step, job.pk)


@retry_on_deadlock
def run_chunk(job_id: int, *, is_first: bool = False) -> bool:
    """Serve the next followers; False when there are none left. With `is_first`, only if none were served.

    The feed's lock keeps follows, unfollows and other writers of this feed waiting. The chunk acts on the
    record as it is now, so neither the order of chunks nor their repetition matters.
    """
    with transaction.atomic(using=database()):
        job = FanoutJob.objects.using(database()).filter(pk=job_id).first()
        if job is None:
            return False
        lock(Feed.objects.using(database()).filter(pk=job.feed))
        job = FanoutJob.objects.using(database()).select_for_update().filter(pk=job_id).first()
        if job is None:
            return False
        if is_first and job.position:
            return True
        after, rows = job.position, pace.rows()
        follows = Follow.objects.using(database()).filter(target=job.feed, id__gt=after).order_by("id")
        last = max(rows // len(job.keys), 1) - 1
        up_to = follows.values_list("id", flat=True)[last : last + 1].first()
        # The feed's lock keeps new follows away, so these are all that are left.
        is_last = up_to is None
        if is_last:
            up_to = follows.aggregate(last=Max("id"))["last"]
        if up_to is not None:
            keys = [uuid.UUID(key) for key in job.keys]
            # How many the last one serves is not known.
            with nullcontext() if is_last else pace.measured((last + 1) * len(keys)):
                timelines().fan_out_part(job.feed, keys, after, up_to, FanoutJob.Change(job.change))
        if is_last or up_to is None:
            job.delete()
            return False
        job.position, job.touched_at = up_to, timezone.now()
        job.save(update_fields=["position", "touched_at"])
        return True


background.register(FAN_OUT_TASK, FanoutJob, run_step)
