"""The groups of notification feeds are marked seen and read."""

from __future__ import annotations

from django.db import transaction

from django_stream.database.statements import Database, either, equal, in_list, is_false
from django_stream.server.models import ActivityGroup
from django_stream.server.timelines.base import Marked

LOCK_ORDER = ("name", "feed")
"""In this order all writers lock groups."""


def mark(feed: int, *, seen: Marked, read: Marked) -> bool:
    """Mark all groups of a feed, given by the number of its row, or those whose newest activity is given.

    Returns whether any mark changed.
    """
    if not (seen or read):
        return False
    database = Database.to_write(ActivityGroup)
    changed = 0
    with transaction.atomic(using=database.alias):
        # All that either mark may concern at once: in two steps, two markers could wait for each other.
        unmarked = either(is_false("is_seen"), is_false("is_read"))
        database.lock(ActivityGroup, LOCK_ORDER, equal("feed", feed), unmarked)
        for column, marked in (("is_seen", seen), ("is_read", read)):
            if marked:
                newest = [] if marked == "all" else [in_list("newest", marked)]
                chosen = [equal("feed", feed), is_false(column), *newest]
                changed += database.update(ActivityGroup, {column: True}, *chosen)
    return changed > 0
