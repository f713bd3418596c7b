# ruff: noqa: S608 (only table names of our own models are put into the text)
"""A page of a flat feed with its activities and origins, in one statement.

The text depends on nothing but which bounds are given and the limit, so that a database that
prepares statements plans each once. The limit is part of the text: a plan made without knowing
it would be made for the whole feed.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter

from django_stream.protocol.feed_ids import FeedID
from django_stream.server import sql
from django_stream.server.activity_rows import SELECTED, TABLE, ActivityRow
from django_stream.server.sql import EXCLUDED, FEED, TIMELINE
from django_stream.server.timelines.base import Window
from django_stream.server.timelines.selection import window_conditions


def page(application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
    """The entries of a feed in the window, those whose activity is just being deleted included."""
    connection = sql.reader()
    bounds, params = window_conditions(connection, "key", window)
    params = [application_id, feed_id.slug, feed_id.user_id, *params]
    text = _text(bounds, window.limit, window.offset > 0)
    if window.offset:
        params.append(window.offset)
    found = sql.rows(connection, text, [*params, application_id])
    # Sorted here: in the statement's outer part it would cost SQLite a temporary tree.
    found.sort(key=itemgetter(0), reverse=True)
    return [ActivityRow(row) for row in found]


@lru_cache(maxsize=512)
def _text(where: str, limit: int, offset: bool) -> str:
    return (
        f"SELECT p.key, {SELECTED}, o.slug || ':' || o.user_id "
        f"FROM (SELECT key, min(via) AS via FROM {TIMELINE} "
        f"WHERE feed = (SELECT id FROM {FEED} "
        f"WHERE application_id = %s AND slug = %s AND user_id = %s){where} "
        f"GROUP BY key HAVING min(via) > {EXCLUDED} ORDER BY key DESC LIMIT {limit:d}"
        f"{' OFFSET %s' if offset else ''}) p "
        f"LEFT JOIN {TABLE} a ON a.application_id = %s AND a.key = p.key "
        f"LEFT JOIN {FEED} o ON o.id = p.via"
    )
