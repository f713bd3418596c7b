"""Healing what should not be broken: run by hand or by cron, safe beside a live server."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef

from django_stream.server.feed_store import database, lock
from django_stream.server.models import Activity, Feed, Follow, Placement
from django_stream.server.timelines import timelines
from django_stream.server.timelines.orphans import feeds_with_orphans


def heal_orphans() -> int:
    """Take activities that do not exist off all feeds; returns how many feeds were healed."""
    healed = 0
    for number in feeds_with_orphans():
        rebuild(Feed.objects.using(database()).get(pk=number))
        healed += 1
    return healed


def rebuild(feed: Feed) -> None:
    """Compute a feed's timeline from the record, without records whose activity is gone.

    Writers of the feed, and of the feeds that it follows, wait meanwhile.
    """
    with transaction.atomic(using=database()):
        followed = Follow.objects.using(database()).filter(source=feed).values("target")
        lock([feed, *Feed.objects.using(database()).filter(pk__in=followed)])
        activity = Activity.objects.filter(application_id=feed.application_id, key=OuterRef("key"))
        Placement.objects.using(database()).filter(~Exists(activity), feed=feed).delete()
        timelines().rebuild(feed.pk)
