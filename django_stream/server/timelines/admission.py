"""What the record says of feeds, whether the timelines have come to it yet or not."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from django_stream.database.conditions import Condition, below, equal, one_of
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.server.activity_rows import read_key
from django_stream.server.models import Activity, Follow, Placement
from django_stream.server.timelines.tables import ADMITS, EXCLUSION, FOLLOW, FOLLOWED_PLACEMENTS, PLACEMENT


def admitted(feeds: Collection[int], keys: Collection[uuid.UUID]) -> set[tuple[int, uuid.UUID]]:
    """Which of the feeds some follow brings, or will bring, which of the activities.

    `feeds` are the numbers of their rows, `keys` the sort keys of the activities.
    """
    database = Database.to_write(Placement)
    conditions = one_of("p.key", keys, uuids=True), one_of("f.source_id", feeds), Fragment(ADMITS)
    found = database.select(FOLLOWED_PLACEMENTS, ["f.source_id", "p.key"], *conditions)
    return {(feed, read_key(key)) for feed, key in found}


def admitted_until(feed: int, keys: Collection[uuid.UUID], versions: Mapping[int, int]) -> set[uuid.UUID]:
    """Which of the activities these follows brought to a feed up to these versions of the followed feeds.

    `versions` has them by the ids of the follows.
    """
    database = Database.to_write(Placement)
    conditions = one_of("p.key", keys, uuids=True), one_of("f.source_id", [feed]), Fragment(ADMITS)
    found = database.select(FOLLOWED_PLACEMENTS, ["p.key", "f.id", "p.seq"], *conditions)
    return {read_key(key) for key, follow, seq in found if seq <= versions.get(follow, -1)}


# Apart: of the open follows, an index has that of the pair, however many either of the feeds has.
_OPEN = f"SELECT 1 FROM {FOLLOW} f WHERE f.source_id = %s AND f.target_id = p.feed_id AND f.until_seq IS NULL"
_ENDED = (
    f"SELECT 1 FROM {FOLLOW} f WHERE f.source_id = %s AND f.target_id = p.feed_id AND f.until_seq >= p.seq"
)
_SINCE = "(f.since_seq < p.seq OR f.floor_key <= p.key)"
_EVER = f"SELECT f.target_id FROM {FOLLOW} f WHERE f.source_id = %s AND f.until_seq IS NOT NULL"
_FOLLOWED = (
    f"SELECT 1 FROM {PLACEMENT} p WHERE p.key = a.key AND p.seq IS NOT NULL "
    f"AND (EXISTS ({_OPEN} AND {_SINCE}) OR (p.feed_id IN ({_EVER}) AND EXISTS ({_ENDED} AND {_SINCE})))"
)
_SEEN = (
    f"EXISTS (SELECT 1 FROM {PLACEMENT} p WHERE p.feed_id = %s AND p.key = a.key) "
    f"OR (EXISTS ({_FOLLOWED}) "
    f"AND NOT EXISTS (SELECT 1 FROM {EXCLUSION} x WHERE x.feed_id = %s AND x.key = a.key))"
)


def keys_of_foreign_id(
    application_id: int, foreign_id: str, feed: int, *, most: int, before: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """Keys of activities with this foreign_id that are seen on a feed (the number of its row), newest first.

    Anybody may have posted any number of others with the same foreign_id to feeds of their own. It is read
    where it is written: a replica may not have yet what is about to be removed.
    """
    database = Database.to_write(Activity)
    conditions: list[Condition] = [
        # In the words of the partial index, without which SQLite does not take it.
        Fragment("NOT (a.foreign_id = '')"),
        equal("a.application_id", application_id),
        equal("a.foreign_id", foreign_id),
        Fragment(f"({_SEEN})", [feed] * _SEEN.count("%s")),
    ]
    if before is not None:
        conditions.append(below("a.key", before))
    query = database.query(Activity, ["a.key"], *conditions, alias="a")
    found = database.rows(f"{query.text} ORDER BY a.key DESC LIMIT {most:d}", query.params)
    return [read_key(key) for (key,) in found]


def oldest_copied(feeds: Collection[int], limit: int) -> dict[int, uuid.UUID]:
    """Of each feed that has any, the oldest of the newest `limit` activities that a new follow copies."""
    if not (feeds and limit):
        return {}
    database = Database.to_write(Placement)
    given = database.dialect.given({"feed": "bigint"}, [[feed] for feed in feeds])
    placed = f"SELECT p.key FROM {PLACEMENT} p WHERE p.feed_id = given.feed AND p.seq IS NOT NULL"
    oldest = f"coalesce(({placed} ORDER BY p.key DESC LIMIT 1 OFFSET %s), ({placed} ORDER BY p.key LIMIT 1))"
    found = database.rows(f"SELECT given.feed, {oldest} FROM {given.text}", [limit - 1, *given.params])
    return {feed: read_key(key) for feed, key in found if key is not None}


def with_more_followers(feeds: Collection[int], most: int) -> set[int]:
    """Those of the feeds that have or had more followers than this.

    One query for any number of feeds, which reads so many follows of each and no more.
    """
    database = Database.to_write(Follow)
    given = database.dialect.given({"feed": "bigint"}, [[feed] for feed in feeds])
    another = f"SELECT 1 FROM {FOLLOW} f WHERE f.target_id = given.feed ORDER BY f.id LIMIT 1 OFFSET %s"
    text = f"SELECT given.feed FROM {given.text} WHERE EXISTS ({another})"
    return {feed for (feed,) in database.rows(text, [*given.params, most])} if feeds else set()
