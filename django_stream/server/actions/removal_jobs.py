"""Very many activities of one foreign_id leave a feed: all after the first step, whoever is killed."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from functools import partial

from django.db import transaction
from django.utils import timezone

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import background, feed_store
from django_stream.server.actions import removals
from django_stream.server.actions.removals import Spared
from django_stream.server.events.event import called_by, current_caller
from django_stream.server.feed_store import database
from django_stream.server.models import Feed, Follow, Placement, RemovalJob
from django_stream.server.timelines import admission
from django_stream.server.timelines.admission import keys_of_foreign_id

# The step of the request, and each one after it.
_AT_ONCE = 500
TASK = "django_stream.server.remove_activities"


def remove(application_id: int, feed_id: FeedID, foreign_id: str) -> bool:
    """Take the activities of a foreign_id off a feed, the newest now and the others after the commit.

    Whether any of them was there. What is posted to the feed or comes by following after this stays.
    """
    feed = feed_store.find(application_id, [feed_id]).get(feed_id)
    if feed is None:
        return False
    with transaction.atomic(using=database()):
        keys = keys_of_foreign_id(application_id, foreign_id, feed.pk, most=_AT_ONCE)
        if len(keys) < _AT_ONCE:
            return removals.remove(application_id, feed_id, keys)
        removals.remove(application_id, feed_id, keys)
        version = Feed.objects.using(database()).values_list("version", flat=True).get(pk=feed.pk)
        # What an earlier one has left is left to this one, too.
        RemovalJob.objects.using(database()).filter(feed=feed.pk, foreign_id=foreign_id).delete()
        follows = Follow.objects.using(database()).filter(source=feed)
        job = RemovalJob.objects.using(database()).create(
            feed=feed.pk,
            foreign_id=foreign_id,
            before=keys[-1],
            posted_until=version,
            followed=dict(follows.values_list("pk", "target__version")),
            caller=current_caller(),
            touched_at=timezone.now(),
        )
        background.on_commit(TASK, run_step, job.pk)
    return True


def run(number: int) -> None:
    """Do all the steps of a job, each in its transaction. Several may do so at the same time."""
    while run_step(number):
        pass


def resume(idle_seconds: float) -> int:
    """Run the jobs that nothing has touched for `idle_seconds`; returns how many there were."""
    return background.resume(TASK, idle_seconds)


@retry_on_deadlock
def run_step(number: int) -> bool:
    """Take the next of a job off its feed; False when they were the last ones."""
    with transaction.atomic(using=database()):
        job = RemovalJob.objects.using(database()).filter(pk=number).first()
        if job is None:
            return False
        feed = Feed.objects.using(database()).filter(pk=job.feed).first()
        if feed is None:
            job.delete()
            return False
        keys = keys_of_foreign_id(
            feed.application_id, job.foreign_id, feed.pk, most=_AT_ONCE, before=job.before
        )
        # A user's token takes things off that user's feeds alone; the server may name whom it likes.
        with called_by(job.caller, is_server=job.caller != feed.user_id):
            spared = partial(_spared, job, keys)
            removals.remove_from(feed.application_id, {feed.feed_id: keys}, spared=spared)
        jobs = RemovalJob.objects.using(database()).filter(pk=number)
        if len(keys) < _AT_ONCE:
            jobs.delete()
            return False
        # Another worker may be further on by now.
        jobs.filter(before__gt=keys[-1]).update(before=keys[-1], touched_at=timezone.now())
        return True


def _spared(job: RemovalJob, keys: Collection[uuid.UUID]) -> Spared:
    """What of the keys came to the feed since the removal was asked for; the feed is locked."""
    placed = Placement.objects.using(database()).filter(feed=job.feed, key__in=keys)
    later = set(placed.filter(seq__gt=job.posted_until).values_list("key", flat=True))
    jobs = RemovalJob.objects.using(database()).filter(pk=job.pk)
    kept = jobs.values_list("kept", flat=True).first()
    if kept is None:
        # Another worker has done the last step, and nobody knows any more what was posted again.
        return Spared(set(keys))
    versions = {int(follow): version for follow, version in (job.followed or {}).items()}
    brought = admission.admitted_until(job.feed, keys, versions)
    return Spared(later | {uuid.UUID(key) for key in kept}, set(keys) - brought)


background.register(TASK, RemovalJob, run_step)
