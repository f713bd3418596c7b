"""A page of a flat feed: what its timeline holds, and what is found on followed feeds of very many followers.

One statement. Of the timeline it takes as many as the page may need, and of each of these followed feeds what
is not older than the last of them, and no more than that many.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from operator import itemgetter

from django_stream.database.dialect import Dialect
from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import TimelineEntry
from django_stream.server.timelines.base import Window
from django_stream.server.timelines.tables import (
    EXCLUDED,
    EXCLUSION,
    FEED,
    FOLLOW,
    PLACEMENT,
    PULLED,
    PULLED_FEED,
    SHOWN,
    TIMELINE,
    bounds,
    joined,
)

_BEFORE = f"SELECT z.key FROM {PULLED} z WHERE z.feed = f.target_id AND z.seq <= f."
_LATEST = "ORDER BY z.seq DESC LIMIT 1"
# Where a follow `f` begins and ends, as keys: those of one feed grow with the numbers of placements.
_BEGINS = f"x.key > coalesce(({_BEFORE}since_seq {_LATEST}), %s)"
_ENDS = f"x.key <= CASE WHEN f.until_seq IS NULL THEN %s ELSE ({_BEFORE}until_seq {_LATEST}) END"
# Looked up one by one: without statistics PostgreSQL would join whole tables.
_IS_THERE = f"(SELECT p.seq FROM {PLACEMENT} p WHERE p.feed_id = c.feed AND p.key = c.key) = c.seq"
# Before they are counted: whatever the reader has taken off costs a page nothing that is not among it.
_SHOWN = f"(SELECT 1 FROM {EXCLUSION} e WHERE e.feed_id = (SELECT id FROM s) AND e.key = x.key) IS NULL"
_LOWEST = uuid.UUID(int=0)
_HIGHEST = uuid.UUID(int=2**128 - 1)


def page(application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
    """As `flat_page.page`."""
    if window.limit == 0:
        return []
    database = Database.to_read(TimelineEntry)
    bound, near = (bounds(database.dialect, "key", one) for one in (window, _near(window)))
    lowest, highest = database.dialect.params([_LOWEST, _HIGHEST])
    end, begin = (highest, lowest) if window.oldest_first else (lowest, highest)
    text = _text(database.dialect, bound.text, near.text, window)
    name = [application_id, feed_id.slug, feed_id.user_id]
    params = [*name, *bound.params, end, begin, *near.params, *bound.params, end, application_id]
    rows = database.rows(text, params)
    rows.sort(key=itemgetter(0), reverse=not window.oldest_first)
    return [ActivityRow(row) for row in rows]


def _near(window: Window) -> Window:
    """With the bounds at which reading begins."""
    if window.oldest_first:
        return replace(window, below=None, up_to=None)
    return replace(window, above=None, from_on=None)


def _text(dialect: Dialect, where: str, near: str, window: Window) -> str:
    order, within, begins = ("ASC", "<=", _BEGINS) if window.oldest_first else ("DESC", ">=", _ENDS)
    most = window.limit + window.offset
    mine = dialect.in_order(f"{TIMELINE} WHERE feed = (SELECT id FROM s){where}", "key, via", f"key {order}")
    held = (
        f"SELECT key, min(via) AS via FROM {mine} "
        f"GROUP BY key HAVING min(via) > {EXCLUDED} ORDER BY key {order} LIMIT {most:d}"
    )
    last = f"SELECT key FROM held ORDER BY key {order} LIMIT 1 OFFSET {most - 1:d}"
    # Bounded at one side alone: then PostgreSQL walks along the index, and does not sort what is there.
    some = (
        f"FROM {PULLED} x WHERE x.feed = f.target_id AND {begins}{_of('x', near)} "
        f"AND {_SHOWN} ORDER BY x.key {order} LIMIT {most:d}"
    )
    # Of each feed that has anything so new.
    heads = "" if window.oldest_first else " AND h.newest_key >= (SELECT key FROM edge)"
    found = (
        f"SELECT y.feed, y.key, y.seq FROM {FOLLOW} f JOIN {PULLED_FEED} h ON h.feed = f.target_id "
        f"AND h.newest_seq > f.since_seq{heads} JOIN {dialect.join_chosen(PULLED, 'y', some)} "
        "WHERE f.source_id = (SELECT id FROM s) AND y.seq > f.since_seq "
        f"AND (f.until_seq IS NULL OR y.seq <= f.until_seq){_of('y', where)} "
        f"AND y.key {within} (SELECT key FROM edge)"
    )
    enough = f"SELECT key FROM found GROUP BY key ORDER BY key {order} LIMIT 1 OFFSET {most - 1:d}"
    ways = f"SELECT c.key, c.feed FROM found c WHERE c.key {within} coalesce(({enough}), %s) AND {_IS_THERE}"
    return (
        f"WITH s AS (SELECT id FROM {FEED} WHERE application_id = %s AND slug = %s AND user_id = %s), "
        f"held AS ({held}), edge AS (SELECT coalesce(({last}), %s) AS key), found AS ({found}) "
        f"SELECT w.key, {SHOWN} FROM ("
        f"SELECT key, min(via) AS via FROM (SELECT key, via FROM held UNION ALL {ways}) ways "
        f"GROUP BY key ORDER BY key {order} LIMIT {window.limit:d} OFFSET {window.offset:d}) w "
        f"{joined(dialect, 'w.key', 'w.via')}"
    )


def _of(alias: str, where: str) -> str:
    return where.replace(" key ", f" {alias}.key ")
