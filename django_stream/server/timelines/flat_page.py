"""A page of a flat feed with its activities and origins, in one statement.

The text depends on nothing but which bounds are given and the limit, so that a database that
prepares statements plans each once. The limit is part of the text: a plan made without knowing
it would be made for the whole feed.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter

from django_stream.database.dialect import Dialect
from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import TimelineEntry
from django_stream.server.timelines.base import Window
from django_stream.server.timelines.tables import EXCLUDED, FEED, SHOWN, TIMELINE, bounds, joined


def page(application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
    """The entries of a feed in the window; the actor is None where the activity is just being deleted."""
    database = Database.to_read(TimelineEntry)
    bound = bounds(database.dialect, "key", window)
    offset = [window.offset] if window.offset else []
    # mypy takes the hash of an instance for that of its class.
    text = _text(type(database.dialect), bound.text, window.limit, bool(offset), window.oldest_first)  # type: ignore[arg-type]
    name = [application_id, feed_id.slug, feed_id.user_id]
    found = database.rows(text, [*name, *bound.params, *offset, application_id])
    # Sorted here: in the statement's outer part it would cost SQLite a temporary tree.
    found.sort(key=itemgetter(0), reverse=not window.oldest_first)
    return [ActivityRow(row) for row in found]


@lru_cache(maxsize=512)
def _text(dialect: type[Dialect], where: str, limit: int, offset: bool, oldest_first: bool) -> str:
    order = "key ASC" if oldest_first else "key DESC"
    feed = f"(SELECT id FROM {FEED} WHERE application_id = %s AND slug = %s AND user_id = %s)"
    ways = dialect.in_order(f"{TIMELINE} WHERE feed = {feed}{where}", "key, via", order)
    return (
        f"SELECT p.key, {SHOWN} FROM (SELECT key, min(via) AS via FROM {ways} "
        f"GROUP BY key HAVING min(via) > {EXCLUDED} ORDER BY {order} LIMIT {limit:d}"
        f"{' OFFSET %s' if offset else ''}) p {joined(dialect, 'p.key', 'p.via')}"
    )
