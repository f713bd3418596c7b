# ruff: noqa: S608 (only table names of our own models are put into the text)
"""The groups of notification feeds are marked seen and read."""

from __future__ import annotations

from django.db import transaction

from django_stream.server import sql
from django_stream.server.models import ActivityGroup
from django_stream.server.sql import ACTIVITY_GROUP
from django_stream.server.timelines.base import Marked


def mark(feed: int, *, seen: Marked, read: Marked) -> None:
    """Mark all groups of a feed, or those whose newest activity is given."""
    connection = sql.writer(ActivityGroup)
    for column, marked in (("is_seen", seen), ("is_read", read)):
        if not marked:
            continue
        where, params = f"feed = %s AND NOT {column}", [feed]
        if marked != "all":
            where += f" AND newest IN {sql.marks(marked)}"
            params += sql.key_params(connection, marked)
        with transaction.atomic(using=connection.alias):
            sql.lock_groups(connection, where, params)
            sql.execute(
                connection, f"UPDATE {ACTIVITY_GROUP} SET {column} = NOT {column} WHERE {where}", params
            )
