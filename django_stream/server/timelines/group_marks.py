"""The groups of notification feeds are marked seen and read."""

from __future__ import annotations

from django.db import transaction

from django_stream.database.statements import Database, equal, in_list, is_false
from django_stream.server.models import ActivityGroup
from django_stream.server.timelines.base import Marked

LOCK_ORDER = ("name", "feed")
"""In this order all writers lock groups."""


def mark(feed: int, *, seen: Marked, read: Marked) -> None:
    """Mark all groups of a feed, given by the number of its row, or those whose newest activity is given."""
    database = Database.to_write(ActivityGroup)
    for column, marked in (("is_seen", seen), ("is_read", read)):
        if not marked:
            continue
        conditions = [equal("feed", feed), is_false(column)]
        if marked != "all":
            conditions.append(in_list("newest", marked))
        with transaction.atomic(using=database.alias):
            database.lock(ActivityGroup, LOCK_ORDER, *conditions)
            database.update(ActivityGroup, {column: True}, *conditions)
