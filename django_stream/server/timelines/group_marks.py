# ruff: noqa: S608 (only table names of our own models are put into the text)
"""The groups of notification feeds are marked seen and read."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.server import sql
from django_stream.server.models import ActivityGroup
from django_stream.server.sql import ACTIVITY_GROUP
from django_stream.server.timelines.base import Marked


def mark(feed: int, *, seen: Marked, read: Marked) -> bool:
    """Mark all groups of a feed, or those whose newest activity is given; whether any mark changed."""
    connection = sql.writer(ActivityGroup)
    chosen = [
        (column, *_unmarked(connection, column, marked))
        for column, marked in (("is_seen", seen), ("is_read", read))
        if marked
    ]
    if not chosen:
        return False
    with transaction.atomic(using=connection.alias):
        either = " OR ".join(f"({where})" for _, where, _ in chosen)
        # All that either mark concerns at once: in two steps, two markers could wait for each other.
        sql.lock_groups(
            connection,
            f"feed = %s AND ({either})",
            [feed, *(param for _, _, params in chosen for param in params)],
        )
        changed = [
            sql.execute(
                connection,
                f"UPDATE {ACTIVITY_GROUP} SET {column} = NOT {column} WHERE feed = %s AND {where}",
                [feed, *params],
            )
            for column, where, params in chosen
        ]
    return any(changed)


def _unmarked(connection: BaseDatabaseWrapper, column: str, marked: Marked) -> tuple[str, list[Any]]:
    """The condition of the groups that a mark changes."""
    if marked == "all":
        return f"NOT {column}", []
    return f"NOT {column} AND newest IN {sql.marks(marked)}", sql.key_params(connection, marked)
