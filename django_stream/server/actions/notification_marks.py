"""Groups of notification feeds are marked seen and read, and unread again."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from django_stream.protocol.activity_ids import from_sort_key
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.events.event import Event
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database
from django_stream.server.reads.feeds import find
from django_stream.server.timelines import timelines
from django_stream.server.timelines.base import Marked


def mark(
    application_id: int, feed_id: FeedID, *, seen: Marked = (), read: Marked = (), unread: Marked = ()
) -> None:
    """Mark groups of a feed; a mark of a group that has something newer by now is ignored."""
    feed = find(application_id, feed_id)
    if feed is None or not (seen or read or unread):
        return
    with transaction.atomic(using=database()):
        if timelines().mark(feed, seen=seen, read=read, unread=unread):
            marks = {"seen": seen, "read": read, "unread": unread}
            details = {name: _ids(marked) for name, marked in marks.items() if marked}
            record(
                [
                    Event(
                        application_id,
                        "notification",
                        str(feed_id),
                        "mark",
                        on_behalf_of=feed_id.user_id,
                        feeds=(str(feed_id),),
                        details=details,
                    )
                ]
            )


def _ids(marked: Marked) -> Any:
    return marked if marked == "all" else sorted({str(from_sort_key(one.newest)) for one in marked})
