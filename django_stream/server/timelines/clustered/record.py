"""What the record says of flat feeds: whole pages for whoever finds no timeline, and what a change means."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from django_stream.database.conditions import Condition, equal, one_of
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow, read_key
from django_stream.server.models import Activity, Exclusion, Placement, TimelineChange
from django_stream.server.timelines import group_changes
from django_stream.server.timelines.base import Window
from django_stream.server.timelines.clustered.members import Entry
from django_stream.server.timelines.tables import (
    ADMITS,
    EXCLUDED,
    EXCLUSION,
    FEED,
    FOLLOW,
    FOLLOWED_PLACEMENTS,
    OWN,
    PLACEMENT,
    SHOWN,
    bounds,
    joined,
)

_CHANGE = TimelineChange._meta.db_table
_SHOWN = (
    "NOT EXISTS (SELECT 1 FROM {exclusion} e WHERE e.feed_id = {feed} AND e.key = p.key)"  # of a placement p
)
_SHOWN_TO_FOLLOWER = _SHOWN.format(exclusion=EXCLUSION, feed="f.source_id")
_SHOWN_HERE = _SHOWN.format(exclusion=EXCLUSION, feed="p.feed_id")
_LOWEST = uuid.UUID(int=0)
_HIGHEST = uuid.UUID(int=2**128 - 1)


class State(NamedTuple):
    """A feed's number, and whether a change that concerns it is still on its way to the cluster."""

    feed: int
    is_changing: bool


def state(application_id: int, feed_id: FeedID) -> State | None:
    """None for a feed that was never written to."""
    database = Database.to_write(TimelineChange)
    found = database.rows(
        f"SELECT s.id, EXISTS (SELECT 1 FROM {_CHANGE} c WHERE c.feed = s.id AND c.is_own) "
        f"OR EXISTS (SELECT 1 FROM {_CHANGE} c JOIN {FOLLOW} f ON f.target_id = c.feed "
        "WHERE f.source_id = s.id AND f.id > c.after AND f.id <= c.up_to) "
        f"FROM {FEED} s WHERE s.application_id = %s AND s.slug = %s AND s.user_id = %s",
        [application_id, feed_id.slug, feed_id.user_id],
    )
    return State(found[0][0], bool(found[0][1])) if found else None


def is_changing(feed: int) -> bool:
    """Whether a change that concerns a feed is still on its way."""
    database = Database.to_write(TimelineChange)
    return bool(
        database.rows(
            f"SELECT 1 FROM {_CHANGE} c WHERE c.feed = %s AND c.is_own "
            f"UNION ALL SELECT 1 FROM {_CHANGE} c JOIN {FOLLOW} f ON f.target_id = c.feed "
            "WHERE f.source_id = %s AND f.id > c.after AND f.id <= c.up_to LIMIT 1",
            [feed, feed],
        )
    )


def entries(feed: int, window: Window) -> list[Entry]:
    """A feed in the window, newest first unless it asks for the oldest."""
    database = Database.to_write(Placement)
    bound = bounds(database.dialect, "p.key", window)
    # So many of each way, and no more, can be on the page.
    most = window.limit + window.offset
    direction, within, end = ("ASC", "<=", _HIGHEST) if window.oldest_first else ("DESC", ">=", _LOWEST)
    first = f"ORDER BY p.key {direction} LIMIT {most:d}"
    own = f"FROM {PLACEMENT} p WHERE p.feed_id = %s AND {_SHOWN_HERE}{bound.text}"
    admitted = f"{ADMITS} AND {_SHOWN_TO_FOLLOWER}{bound.text}"
    last = (
        f"SELECT p.key FROM {PLACEMENT} p WHERE p.feed_id = f.target_id AND {admitted} "
        f"ORDER BY p.key {direction} LIMIT 1 OFFSET {most - 1:d}"
    )
    found = database.rows(
        f"SELECT key, min(via) FROM (SELECT * FROM (SELECT p.key AS key, {OWN} AS via {own} {first}) o "
        f"UNION ALL SELECT p.key AS key, p.feed_id AS via FROM {FOLLOWED_PLACEMENTS} "
        f"WHERE f.source_id = %s AND {admitted} AND p.key {within} coalesce(({last}), '{end}')) w "
        f"GROUP BY key ORDER BY key {direction} LIMIT {window.limit:d} OFFSET {window.offset:d}",
        [feed, *bound.params, feed, *bound.params, *bound.params],
    )
    return [Entry(read_key(key), via) for key, via in found]


def rows_of(
    application_id: int, wanted: Sequence[tuple[uuid.UUID | str, int]], *, oldest_first: bool = False
) -> list[ActivityRow]:
    """Entries (keys, or their 32 digits) with their activities and origins, in one statement."""
    if not wanted:
        return []
    database = Database.to_read(Activity)
    given = database.dialect.given({"key": "uuid", "via": "bigint"}, wanted)
    found = database.rows(
        f"SELECT given.key, {SHOWN} FROM {given.text} {joined(database.dialect, 'given.key', 'given.via')}",
        [*given.params, application_id],
    )
    found.sort(key=itemgetter(0), reverse=not oldest_first)
    return [ActivityRow(row) for row in found]


def ways(feed: int, key: uuid.UUID) -> list[int]:
    """Everything that brings an activity to a feed, or keeps it off it; as `Timelines.origins` has them."""
    database = Database.to_write(Placement)
    here = equal("feed_id", feed), equal("key", key)
    found = [EXCLUDED] if database.exists(Exclusion, *here) else []
    found += [OWN] if database.exists(Placement, *here) else []
    followed = equal("f.source_id", feed), equal("p.key", key), Fragment(ADMITS)
    return found + sorted({via for (via,) in database.select(FOLLOWED_PLACEMENTS, ["p.feed_id"], *followed)})


def placed(feeds: Collection[int], keys: Collection[uuid.UUID]) -> Iterator[tuple[int, Entry]]:
    """Which of the feeds have which of the activities placed on them, and not hidden."""
    chosen = one_of("p.feed_id", feeds), one_of("p.key", keys, uuids=True), Fragment(_SHOWN_HERE)
    database = Database.to_write(Placement)
    for feed, key in database.select(Placement, ["p.feed_id", "p.key"], *chosen, alias="p"):
        yield feed, Entry(read_key(key), OWN)


def forwarded(
    feeds: Collection[int], keys: Collection[uuid.UUID], after: int, up_to: int
) -> Iterator[tuple[int, Entry]]:
    """What flat feeds receive from these by the follows with ids in a range."""
    database = Database.to_write(Placement)
    chosen = one_of("p.feed_id", feeds), one_of("p.key", keys, uuids=True), *_received(after, up_to)
    columns = ["f.source_id", "p.key", "p.feed_id"]
    for feed, key, via in database.select(FOLLOWED_PLACEMENTS, columns, *chosen):
        yield feed, Entry(read_key(key), via)


def followers(feeds: Collection[int], after: int, up_to: int) -> list[int]:
    """The flat feeds that follow these, or did, by the follows with ids in a range."""
    database = Database.to_write(Placement)
    flat = group_changes.of_flat("f.source_id")
    source = f"(SELECT f.source_id FROM {FOLLOW} f WHERE f.id > %s AND f.id <= %s AND "
    chosen = database.where(one_of("f.target_id", feeds))
    found = database.rows(
        f"SELECT DISTINCT source_id FROM {source}{chosen.text}{flat.text}) d",
        [after, up_to, *chosen.params, *flat.params],
    )
    return [feed for (feed,) in found]


def remaining(sources: Collection[int], keys: Collection[uuid.UUID]) -> dict[tuple[int, uuid.UUID], Entry]:
    """How these feeds still have these activities, if they do."""
    found = {(feed, entry.key): entry for feed, entry in placed(sources, keys)}
    database = Database.to_write(Placement)
    chosen: list[Condition] = [one_of("f.source_id", sources), one_of("p.key", keys, uuids=True)]
    shown = Fragment(f"{ADMITS} AND {_SHOWN_TO_FOLLOWER}")
    for feed, key, via in database.select(
        FOLLOWED_PLACEMENTS, ["f.source_id", "p.key", "p.feed_id"], *chosen, shown
    ):
        entry = Entry(read_key(key), via)
        known = found.get((feed, entry.key))
        if known is None or via < known.via:
            found[feed, entry.key] = entry
    return found


def _received(after: int, up_to: int) -> tuple[Fragment, Fragment]:
    flat = group_changes.of_flat("f.source_id")
    rule = f"{ADMITS} AND {_SHOWN_TO_FOLLOWER}{flat.text}"
    return Fragment("f.id > %s AND f.id <= %s", [after, up_to]), Fragment(rule, flat.params)
