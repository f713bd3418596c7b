"""Groups of notification feeds are marked seen and read."""

from __future__ import annotations

from django_stream.protocol.feed_ids import FeedID
from django_stream.server.reads.feeds import find
from django_stream.server.timelines import timelines
from django_stream.server.timelines.base import Marked


def mark(application_id: int, feed_id: FeedID, *, seen: Marked, read: Marked) -> None:
    """Mark groups of a feed; what is not the newest activity of a group is ignored."""
    feed = find(application_id, feed_id)
    if feed is not None and (seen or read):
        timelines().mark(feed, seen=seen, read=read)
