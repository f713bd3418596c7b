"""Changes of grouped feeds that wait until somebody looks.

A writer notes which activities came to a feed, left it or were edited there, and reads no group. A reader
takes the notes of one feed and looks at what is true by then, so neither the order of notes nor their
repetition matters. What a note says is committed with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django_stream.database.conditions import equal, one_of
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.protocol.times import now_in_microseconds
from django_stream.server.activity_rows import read_key
from django_stream.server.feed_groups import grouped_slugs
from django_stream.server.timelines import group_marks
from django_stream.server.timelines.tables import ENTRY, FEED, GROUP_CHANGE, TIMELINE

AT_ONCE = 1_000
"""So many changes of a feed are taken in one step: the newest, and the next step takes the next."""


def note(database: Database, changed: Fragment) -> None:
    """Note a query of feeds (by the numbers of their rows) and sort keys, as far as the feeds are grouped."""
    grouped = _grouped()
    if grouped is None:
        return
    database.execute(
        f"INSERT INTO {GROUP_CHANGE} (feed, key, came_at) SELECT c.feed, c.key, %s "
        f"FROM ({changed.text}) c {database.dialect.join_each(FEED, 's', 's.id = c.feed')} "
        f"WHERE {grouped.text} ON CONFLICT DO NOTHING",
        [now_in_microseconds(), *changed.params, *grouped.params],
    )


def note_again(database: Database, feed: Fragment, keys: Sequence[uuid.UUID]) -> None:
    """Note activities of a feed, given by a query of its number, whatever is known of them."""
    given = database.dialect.given({"key": "uuid"}, [[key] for key in keys])
    text = f"SELECT {feed.text} AS feed, given.key AS key FROM {given.text}"
    note(database, Fragment(text, [*feed.params, *given.params]))


def _grouped() -> Fragment | None:
    """Whether the feed `s` shows groups; None if no feed does."""
    own = {one: slugs for one, slugs in grouped_slugs().items() if one is not None}
    others = _among(grouped_slugs()[None])
    if own:
        listed = ",".join(map(str, own))
        others = Fragment(f"s.application_id NOT IN ({listed}) AND {others.text}", others.params)
    parts = [others, *(_of(one, slugs) for one, slugs in own.items())]
    text = " OR ".join(f"({part.text})" for part in parts)
    return (
        Fragment(f"({text})", [value for part in parts for value in part.params])
        if is_any_grouped()
        else None
    )


def of_grouped(column: str) -> Fragment:
    """That the feed whose number is in a column shows groups, after an AND."""
    grouped = _grouped() or Fragment("1 = 0")
    return Fragment(
        f" AND EXISTS (SELECT 1 FROM {FEED} s WHERE s.id = {column} AND {grouped.text})", grouped.params
    )


def of_flat(column: str) -> Fragment:
    """That it lists activities one by one, after an AND."""
    grouped = _grouped()
    if grouped is None:
        return Fragment("")
    return Fragment(
        f" AND NOT EXISTS (SELECT 1 FROM {FEED} s WHERE s.id = {column} AND {grouped.text})", grouped.params
    )


def _of(application_id: int, slugs: Collection[str]) -> Fragment:
    among = _among(slugs)
    return Fragment(f"s.application_id = {application_id:d} AND {among.text}", among.params)


def _among(slugs: Collection[str]) -> Fragment:
    # An expression of the slug, so that no index of names is taken for the short way.
    return Fragment(f"s.slug || '' IN ({','.join(['%s'] * len(slugs))})" if slugs else "1 = 0", list(slugs))


def is_any_grouped() -> bool:
    """Whether feeds of any application show groups."""
    return any(grouped_slugs().values())


def waiting(database: Database, feed: Fragment) -> tuple[int, list[uuid.UUID]] | None:
    """The number of a feed with the keys of its newest changes; None when nothing waits."""
    found = database.rows(
        f"SELECT feed, key FROM {GROUP_CHANGE} WHERE feed = {feed.text} ORDER BY key DESC LIMIT {AT_ONCE:d}",
        feed.params,
    )
    return (found[0][0], [read_key(key) for _, key in found]) if found else None


def take(database: Database, feed: int, keys: Collection[uuid.UUID], wait: bool) -> dict[uuid.UUID, int]:
    """Take the changes of these activities, in turn; when the last of each came.

    Two who take the same change one after the other: the second finds nothing once the first has committed.
    Without `wait`, nothing is taken while somebody else has the turn.
    """
    in_turn = group_marks.turn(feed, wait=wait)
    chosen = database.where(in_turn, equal("feed", feed), one_of("key", keys, uuids=True))
    found = database.rows(
        f"DELETE FROM {GROUP_CHANGE} WHERE {chosen.text} RETURNING key, came_at", chosen.params
    )
    # In the order of time, so that the last one stays.
    return {read_key(key): came_at for key, came_at in sorted(found, key=lambda row: row[1])}


def prune(database: Database) -> None:
    """Drop changes that later ones repeat, and those of activities that are neither there nor in a group."""
    same = f"o.feed = {GROUP_CHANGE}.feed AND o.key = {GROUP_CHANGE}.key"
    database.execute(
        f"DELETE FROM {GROUP_CHANGE} WHERE "
        f"EXISTS (SELECT 1 FROM {GROUP_CHANGE} o WHERE {same} AND o.came_at > {GROUP_CHANGE}.came_at) "
        f"OR (NOT EXISTS (SELECT 1 FROM {TIMELINE} o WHERE {same}) "
        f"AND NOT EXISTS (SELECT 1 FROM {ENTRY} o WHERE {same}))",
        [],
    )
