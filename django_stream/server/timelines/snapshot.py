"""What a timeline holds, as one short value that is equal exactly when the timelines are."""

from __future__ import annotations

import hashlib

from django_stream.server.feed_store import database
from django_stream.server.models import ActivityGroup, ActivityGroupEntry, TimelineEntry

_CHUNK = 2000


def snapshot(feed: int) -> str:
    """A digest of the feed's entries, groups and counters, without marks and moments. Reads every row."""
    using = database()
    groups = ActivityGroup.objects.using(using).filter(feed=feed)
    names = dict(groups.values_list("id", "name"))
    entries = TimelineEntry.objects.using(using).filter(feed=feed).order_by("key", "via")
    members = ActivityGroupEntry.objects.using(using).filter(feed=feed).order_by("key")
    found = hashlib.sha256()
    for row in entries.values_list("key", "via").iterator(chunk_size=_CHUNK):
        found.update(repr(row).encode())
    for key, group in members.values_list("key", "group_id").iterator(chunk_size=_CHUNK):
        found.update(repr((key, names.get(group))).encode())
    counted = groups.exclude(newest=None).order_by("name")
    for group_row in counted.values_list("name", "newest", "activity_count", "actor_count"):
        found.update(repr(group_row).encode())
    return found.hexdigest()
