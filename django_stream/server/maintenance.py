"""Healing what should not be broken: run by hand or by cron, safe beside a live server."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.server.feed_store import database, lock
from django_stream.server.models import Activity, Feed, Follow, Placement
from django_stream.server.timelines import timelines
from django_stream.server.timelines.orphans import feeds_with_orphans


def heal_orphans() -> int:
    """Take activities that do not exist off all feeds; returns how many feeds were healed."""
    rows = Feed.objects.using(database())
    # One may be deleted meanwhile.
    feeds = [feed for number in feeds_with_orphans() if (feed := rows.filter(pk=number).first())]
    # First what a rebuild would bring back to the followers.
    for feed in feeds:
        _delete_orphaned_placements(feed)
    for feed in feeds:
        rebuild(feed)
    return len(feeds)


@retry_on_deadlock
def rebuild(feed: Feed) -> None:
    """Compute a feed's timeline from the record. Writers of it and of the feeds it follows wait."""
    with transaction.atomic(using=database()):
        lock_writers(feed)
        timelines().rebuild(feed.pk)


def lock_writers(feed: Feed) -> None:
    """Let nobody write to a feed, nor to those that it follows, until the transaction ends."""
    followed = Follow.objects.using(database()).filter(source=feed).values("target")
    lock([feed, *Feed.objects.using(database()).filter(pk__in=followed)])


@retry_on_deadlock
def _delete_orphaned_placements(feed: Feed) -> None:
    with transaction.atomic(using=database()):
        lock([feed])
        activity = Activity.objects.filter(application_id=feed.application_id, key=OuterRef("key"))
        Placement.objects.using(database()).filter(~Exists(activity), feed=feed).delete()
