# ruff: noqa: S608 (only table names of our own models are put into the text)
"""What the record says of one feed, whether the timelines have come to it yet or not."""

from __future__ import annotations

import uuid

from django_stream.server import sql
from django_stream.server.sql import ADMITS, FOLLOW, PLACEMENT


def admits(feed: int, key: uuid.UUID) -> bool:
    """Whether some follow of this feed brings it the activity, or will."""
    connection = sql.writer()
    found = sql.rows(
        connection,
        f"SELECT 1 FROM {PLACEMENT} p JOIN {FOLLOW} f ON f.target_id = p.feed_id "
        f"WHERE p.key = %s AND f.source_id = %s AND {ADMITS} LIMIT 1",
        [sql.key_param(connection, key), feed],
    )
    return bool(found)
