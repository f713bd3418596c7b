"""The statements about the groups of one feed: each names its rows by arrays and finds them by an index.

Whoever changes something has the feed's turn. None needs statistics. What one statement found goes to the
next as parameters: nothing is joined twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from django_stream.database.conditions import equal, one_of, rows_among
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.protocol.times import now_in_microseconds
from django_stream.server.activity_rows import read_key
from django_stream.server.models import ActivityGroup, ActivityGroupEntry
from django_stream.server.timelines import group_past
from django_stream.server.timelines.tables import ACTIVITY, ACTIVITY_GROUP, ENTRY, EXCLUDED, TIMELINE

READ_WHOLE = 5_000
"""What larger groups hold is not read for their numbers; that of their actors may be inexact then."""
READ_IN_ALL = 250_000
"""Where many groups change at once, they are large from this part of it on."""
# So many of an actor's newest activities are looked up instead ..
_LATELY = 1_000
# .. and of all who come at once, so many together.
_LOOKED_UP = 100_000
_LOWEST = uuid.UUID(int=0)
_COUNT = f"(SELECT count(*) FROM {ENTRY} e WHERE e.group_id = {ACTIVITY_GROUP}.id)"
# Looked up one by one: without statistics PostgreSQL would hash all activities for each group.
_ACTOR = f"(SELECT a.actor FROM {ACTIVITY} a WHERE a.application_id = %s AND a.key = e.key)"
_ACTORS = f"(SELECT count(DISTINCT {_ACTOR}) FROM {ENTRY} e WHERE e.group_id = {ACTIVITY_GROUP}.id)"
_NEWEST = f"(SELECT e.key FROM {ENTRY} e WHERE e.group_id = {ACTIVITY_GROUP}.id ORDER BY e.key DESC LIMIT 1)"


class Found(NamedTuple):
    """An activity as it is now, and where it is in the groups of the feed."""

    key: uuid.UUID
    is_visible: bool
    name: str | None
    """The name of the group that it belongs to."""
    actor: str | None
    """None if the activity is gone."""
    is_erased: bool
    group: int | None
    group_name: str | None

    @property
    def belongs(self) -> bool:
        """Whether it belongs into a group of the feed."""
        return self.is_visible and self.actor is not None and self.name is not None

    @property
    def stays(self) -> bool:
        """Whether it is in the right one."""
        return self.group is not None and self.belongs and self.name == self.group_name


class Entering(NamedTuple):
    """An activity on its way into a group; when it came, in microseconds since 1970."""

    feed: int
    key: uuid.UUID
    group_id: int
    entered_at: int


class Grown(NamedTuple):
    """What an activity group gets."""

    group: int
    activities: int
    actors: int
    latest: uuid.UUID
    is_backdated: bool
    last: str
    """When the last of it came: a `moment`."""
    is_news: bool
    """It is unseen and unread from now on."""


_GROWN = {
    "id": "bigint",
    "activities": "bigint",
    "actors": "bigint",
    "latest": "uuid",
    "is_backdated": "boolean",
    "last": "text",
    "is_news": "boolean",
}
_ENTERING = {"feed": "bigint", "key": "uuid", "group_id": "bigint", "entered_at": "bigint"}


def read_whole(groups: int) -> int:
    """Up to how many activities each of so many groups is read."""
    return min(READ_WHOLE, READ_IN_ALL // max(groups, 1))


def state(
    database: Database, application_id: int, slug: str, feed: int, keys: Collection[uuid.UUID]
) -> list[Found]:
    """What there is to know of activities on a feed."""
    dialect = database.dialect
    given = dialect.given({"key": "uuid"}, [[key] for key in keys])
    # They begin with an exclusion if there is one.
    ways = f"SELECT t.via FROM {TIMELINE} t WHERE t.feed = %s AND t.key = given.key"
    found = database.rows(
        f"SELECT given.key, ({ways} ORDER BY t.via LIMIT 1), {dialect.json_text('a.group_names', slug)}, "
        f"a.actor, a.is_erased, e.group_id, g.name FROM {given.text} "
        f"{dialect.look_up(ACTIVITY, 'a', 'a.application_id = %s AND a.key = given.key')} "
        f"LEFT JOIN {ENTRY} e ON e.feed = %s AND e.key = given.key "
        f"LEFT JOIN {ACTIVITY_GROUP} g ON g.id = e.group_id",
        [feed, *given.params, application_id, feed],
    )
    return [
        Found(read_key(key), way not in (None, EXCLUDED), name, actor, bool(erased), *group)
        for key, way, name, actor, erased, *group in found
    ]


def opened(database: Database, feed: int, named: Mapping[str, tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """The groups of these names, created empty where there are none; id and number of activities of each.

    With each name, when the first and the last of what it gets came: `moment`s.
    """
    dialect = database.dialect
    rows = [[name, *times] for name, times in named.items()]
    given = dialect.given({"name": "text", "first": "text", "last": "text"}, rows)
    # Seen and read until counted: that is what makes a new group new.
    yes = dialect.boolean(True)
    first, last = (dialect.time_of_text(f"given.{name}") for name in ("first", "last"))
    found = database.rows(
        f"INSERT INTO {ACTIVITY_GROUP} "
        "(feed, name, activity_count, actor_count, is_seen, is_read, created_at, updated_at) "
        f"SELECT %s, given.name, 0, 0, {yes}, {yes}, {first}, {last} "
        f"FROM {given.text} WHERE true ORDER BY given.name "
        "ON CONFLICT (feed, name) DO UPDATE SET name = EXCLUDED.name "
        "RETURNING name, id, activity_count",
        [feed, *given.params],
    )
    return {name: (group, count) for name, group, count in found}


def moment(database: Database, came: int) -> str:
    """A moment in microseconds since 1970 as the statements take it."""
    now = timezone.now()
    return str(database.dialect.param(now - timedelta(microseconds=now_in_microseconds() - came)))


def enter(database: Database, rows: Sequence[Entering]) -> None:
    """Put activities that are in no group of their feed into groups."""
    given = database.dialect.given(_ENTERING, rows)
    database.execute(
        f"INSERT INTO {ENTRY} (feed, key, group_id, entered_at) "
        f"SELECT given.feed, given.key, given.group_id, given.entered_at FROM {given.text}",
        given.params,
    )


def take_out(database: Database, pairs: Sequence[tuple[int, uuid.UUID]]) -> None:
    """Take activities out of whatever groups of these feeds they are in."""
    group_past.keep(database, pairs)
    database.delete(ActivityGroupEntry, rows_among({"feed": "bigint", "key": "uuid"}, pairs))


def actors_before(
    database: Database,
    application_id: int,
    groups: Collection[int],
    actors: Collection[str],
    added: Collection[uuid.UUID],
) -> set[tuple[int, str]]:
    """Which of the actors the groups had before these activities were added."""
    held = database.where(one_of("e.group_id", groups))
    new = database.where(one_of("e.key", added, uuids=True))
    theirs = database.where(one_of("actor", actors))
    found = database.rows(
        f"SELECT group_id, actor FROM (SELECT e.group_id, {_ACTOR} AS actor FROM {ENTRY} e "
        f"WHERE {held.text} AND NOT ({new.text})) x WHERE {theirs.text} GROUP BY group_id, actor",
        [application_id, *held.params, *new.params, *theirs.params],
    )
    return {(group, actor) for group, actor in found}


def actors_lately_before(
    database: Database,
    application_id: int,
    feed: int,
    coming: Collection[tuple[int, str]],
    added: Collection[uuid.UUID],
) -> set[tuple[int, str]]:
    """The same of pairs of a group and an actor, by the newest activities of each actor alone.

    However much the groups hold, nothing of it is read.
    """
    lately = max(1, min(_LATELY, _LOOKED_UP // len(coming)))
    given = database.dialect.given({"group_id": "bigint", "actor": "text"}, sorted(coming))
    new = database.where(one_of("a.key", added, uuids=True))
    theirs = f"FROM {ACTIVITY} a WHERE a.application_id = %s AND a.actor = given.actor"
    floor = f"SELECT a.key {theirs} ORDER BY a.key DESC LIMIT 1 OFFSET {lately - 1:d}"
    # Queries of one value each: nothing is joined with all that there is.
    group = f"SELECT e.group_id FROM {ENTRY} e WHERE e.feed = %s AND e.key = a.key"
    before = (
        f"SELECT 1 {theirs} AND a.key >= coalesce(({floor}), '{_LOWEST}') "
        f"AND NOT ({new.text}) AND ({group}) = given.group_id LIMIT 1"
    )
    found = database.rows(
        f"SELECT given.group_id, given.actor FROM {given.text} WHERE ({before}) IS NOT NULL",
        [*given.params, application_id, application_id, *new.params, feed],
    )
    return {(group, actor) for group, actor in found}


def grow(database: Database, grown: Sequence[Grown], now: int) -> None:
    """Add to the numbers of groups what came into them."""
    given = database.dialect.given(_GROWN, grown)
    marks = ", ".join(f"{mark} = ({mark} AND NOT given.is_news)" for mark in ("is_seen", "is_read"))
    last = database.dialect.time_of_text("given.last")
    changes = Fragment(
        "activity_count = activity_count + given.activities, "
        "actor_count = actor_count + given.actors, "
        "newest = CASE WHEN newest > given.latest THEN newest ELSE given.latest END, "
        "past_changed_at = CASE WHEN given.is_backdated THEN %s ELSE past_changed_at END, "
        f"updated_at = CASE WHEN updated_at > {last} THEN updated_at ELSE {last} END, {marks}",
        [now],
    )
    match = f"{ACTIVITY_GROUP}.id = given.id"
    database.execute(*database.dialect.update_from(ACTIVITY_GROUP, changes, given, match))


def recount(
    database: Database, application_id: int, lost: Mapping[int, int], *, exactly: bool = False
) -> None:
    """Count groups anew, and delete the empty ones; with each, how many activities it has just lost.

    Unless it is to be done `exactly`, what large groups lost is subtracted, and their actors are not counted.
    """
    given = database.dialect.given({"id": "bigint", "lost": "bigint"}, sorted(lost.items()))
    now, time = database.dialect.param(timezone.now()), database.dialect.time_param
    is_large = "1 = 0" if exactly else f"activity_count > {read_whole(len(lost)):d}"
    rest = "activity_count - given.lost"
    count = f"CASE WHEN {is_large} THEN {rest} ELSE {_COUNT} END"
    estimate = f"CASE WHEN actor_count > {rest} THEN {rest} ELSE actor_count END"
    changes = Fragment(
        # The count comes last: MariaDB sets one column after the other.
        f"past_changed_at = CASE WHEN {count} < activity_count THEN %s ELSE past_changed_at END, "
        f"updated_at = CASE WHEN {count} > activity_count THEN {time} ELSE updated_at END, "
        f"actor_count = CASE WHEN {is_large} THEN {estimate} ELSE {_ACTORS} END, "
        f"newest = {_NEWEST}, activity_count = {count}",
        [now_in_microseconds(), now, application_id],
    )
    match = f"{ACTIVITY_GROUP}.id = given.id"
    database.execute(*database.dialect.update_from(ACTIVITY_GROUP, changes, given, match))
    database.delete(ActivityGroup, one_of("id", list(lost)), equal("activity_count", 0))
