"""The tables of the timelines and of their record, and the rule that connects them, as SQL names them."""

from __future__ import annotations

from django_stream.database.dialect import Dialect, Fragment
from django_stream.server.activity_rows import SELECTED
from django_stream.server.models import (
    Activity,
    ActivityGroup,
    ActivityGroupEntry,
    Exclusion,
    Feed,
    Follow,
    FormerGroupEntry,
    GroupChange,
    Placement,
    PulledFeed,
    PulledPlacement,
    TimelineEntry,
)
from django_stream.server.timelines.base import Window

ACTIVITY = Activity._meta.db_table
TIMELINE = TimelineEntry._meta.db_table
PLACEMENT = Placement._meta.db_table
ACTIVITY_GROUP = ActivityGroup._meta.db_table
ENTRY = ActivityGroupEntry._meta.db_table
FORMER_ENTRY = FormerGroupEntry._meta.db_table
GROUP_CHANGE = GroupChange._meta.db_table
EXCLUSION = Exclusion._meta.db_table
FOLLOW = Follow._meta.db_table
FEED = Feed._meta.db_table
PULLED_FEED = PulledFeed._meta.db_table
PULLED = PulledPlacement._meta.db_table

# In the column `via` of a timeline, beside the numbers of followed feeds.
OWN = 0
"""Placed on the feed itself."""
EXCLUDED = -1
"""Hidden on the feed, whatever brought it there. It sorts first, so `min(via)` shows it."""

FOLLOWED_PLACEMENTS = f"{PLACEMENT} p JOIN {FOLLOW} f ON f.target_id = p.feed_id"
INSERT = f"INSERT INTO {TIMELINE} (feed, key, via)"
INSERT_FOLLOWED = f"{INSERT} SELECT f.source_id, p.key, p.feed_id FROM {FOLLOWED_PLACEMENTS}"
# The one rule of following, used by fan-out, copy and rebuild alike.
ADMITS = (
    "p.seq IS NOT NULL AND (p.seq > f.since_seq OR p.key >= f.floor_key) "
    "AND (f.until_seq IS NULL OR p.seq <= f.until_seq)"
)


SHOWN = f"{SELECTED}, o.slug || ':' || o.user_id"
"""An activity `a`, and the name of the feed `o` that brought it."""


def joined(dialect: Dialect | type[Dialect], key: str, via: str) -> str:
    """The joins of an entry's activity and of the feed that brought it; the application is a parameter."""
    activity = dialect.look_up(ACTIVITY, "a", f"a.application_id = %s AND a.key = {key}")
    return f"{activity} {dialect.look_up(FEED, 'o', f'o.id = {via}')}"


def bounds(dialect: Dialect, column: str, window: Window) -> Fragment:
    """The conditions of a window on a column of sort keys, each after an AND."""
    text, params = "", []
    for operator, key in (
        ("<", window.below),
        ("<=", window.up_to),
        (">", window.above),
        (">=", window.from_on),
    ):
        if key is not None:
            text += f" AND {column} {operator} %s"
            params.append(dialect.param(key))
    return Fragment(text, params)
