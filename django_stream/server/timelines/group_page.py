"""A page of a grouped feed with its newest activities, their origins and its counts, in one statement.

As on flat feeds, the text depends on nothing but which bounds are given and the limit.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any

from django.conf import settings
from django.utils import timezone

from django_stream.database.dialect import Dialect, Fragment
from django_stream.database.statements import Database
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import format_activity_time
from django_stream.server.activity_rows import ActivityRow, loads, read_key
from django_stream.server.timelines import group_past
from django_stream.server.timelines.base import ActivityGroupPage, ActivityGroupRow, Window
from django_stream.server.timelines.tables import (
    ACTIVITY_GROUP,
    ENTRY,
    EXCLUDED,
    FEED,
    SHOWN,
    TIMELINE,
    bounds,
    joined,
)

_FEED = f"(SELECT id FROM {FEED} WHERE application_id = %s AND slug = %s AND user_id = %s)"


def _waiting(dialect: type[Dialect], mark: str) -> str:
    """How many groups lack a mark, up to a limit."""
    # The condition of the index of groups that wait is said once more, so that every database takes it.
    waiting = f"{ACTIVITY_GROUP} WHERE feed = {_FEED} AND (NOT is_seen OR NOT is_read) AND NOT {mark}"
    found = dialect.in_order(waiting, "1 AS one", "is_seen, is_read")
    return f"(SELECT count(*) AS waiting FROM (SELECT one FROM {found} LIMIT {limits.WAITING_COUNT_CAP:d}) c)"


def _counts(dialect: type[Dialect]) -> str:
    unseen, unread = _waiting(dialect, "is_seen"), _waiting(dialect, "is_read")
    return f"(SELECT u.waiting AS unseen, r.waiting AS unread FROM {unseen} u CROSS JOIN {unread} r) w"


_ORIGIN = f"(SELECT t.via FROM {TIMELINE} t WHERE t.feed = b.feed AND t.key = e.key ORDER BY t.via LIMIT 1)"
_LOWEST = uuid.UUID(int=0)
# Looked up again only where no followed feed brought it. An entry that nothing brings is astray.
_ASTRAY = (
    f"CASE WHEN o.id IS NULL AND e.key IS NOT NULL THEN coalesce({_ORIGIN}, {EXCLUDED}) = {EXCLUDED} END"
)
# Places in a row, after the two counts.
_GROUP, _SUMMARY, _STRAY, _KEY = 2, 3, 4, 5


def number_of(application_id: int, feed_id: FeedID) -> Fragment:
    """A query of the number of a feed's row."""
    return Fragment(_FEED, [application_id, feed_id.slug, feed_id.user_id])


def page(
    database: Database,
    application_id: int,
    feed_id: FeedID,
    window: Window,
    per_group: int,
    *,
    counted: bool,
) -> tuple[ActivityGroupPage, list[uuid.UUID]]:
    """Groups by their newest activity, each with its newest few; counted: and how many wait in all.

    Beside them, which of these activities the feed itself has not.
    """
    name = [application_id, feed_id.slug, feed_id.user_id]
    bound = bounds(database.dialect, "newest", window)
    offset = [window.offset] if window.offset else []
    moved, since = "", []
    if window.as_of is not None:
        moved, others = group_past.moved(database.dialect, Fragment(_FEED, name), window.as_of)
        steady = group_past.steady(database.dialect, window.as_of)
        most = [window.limit + window.offset] if window.offset else []
        since = [*steady, *most, *others, *bounds(database.dialect, "place", window).params]
    summary = _summary(database.dialect, "place" if moved else "newest")
    dialect = type(database.dialect)
    shape = (summary, bound.text, window.limit, bool(offset), per_group, counted, moved)
    # mypy takes the hash of an instance for that of its class.
    text = _text(dialect, *shape)  # type: ignore[arg-type]
    params = [*([*name, *name] if counted else ()), *name, *bound.params, *since, *offset, application_id]
    found = database.rows(text, params)
    return _read(found), [read_key(row[_KEY]) for row in found if row[_STRAY]]


@lru_cache(maxsize=512)
def _text(
    dialect: type[Dialect],
    summary: str,
    where: str,
    limit: int,
    offset: bool,
    per_group: int,
    counted: bool,
    moved: str,
) -> str:
    chosen = f"{ACTIVITY_GROUP} WHERE feed = {_FEED} AND newest IS NOT NULL{where}"
    end = f"LIMIT {limit:d}{' OFFSET %s' if offset else ''}"
    newest = dialect.in_order(chosen, "*", "newest DESC")
    groups = f"(SELECT * FROM {newest} ORDER BY newest DESC {end}) b"
    if moved:
        # No more of either is read than the page may take.
        most = "LIMIT %s" if offset else f"LIMIT {limit:d}"
        newest = dialect.in_order(f"{chosen}{group_past.STEADY}", "*", "newest DESC")
        steady = f"SELECT *, newest AS place FROM {newest} ORDER BY newest DESC {most}"
        others = f"SELECT * FROM ({moved}) v WHERE place IS NOT NULL{where.replace('newest', 'place')}"
        every = f"(SELECT * FROM ({steady}) u UNION ALL {others}) every"
        groups = f"(SELECT * FROM {every} ORDER BY place DESC {end}) b"
    counts = "0, 0"
    if counted:
        # On the left, so that they come even if no group does.
        counts, groups = "w.unseen, w.unread", f"{_counts(dialect)} LEFT JOIN {groups} ON 1 = 1"
    return (
        f"SELECT {counts}, b.id, {summary}, {_ASTRAY}, e.key, {SHOWN} "
        f"FROM {groups} LEFT JOIN {ENTRY} e ON e.group_id = b.id "
        # Of large groups, the newest few are those from a floor on.
        f"AND e.key >= CASE WHEN b.activity_count > {per_group:d} THEN (SELECT x.key FROM {ENTRY} x "
        f"WHERE x.group_id = b.id ORDER BY x.key DESC LIMIT 1 OFFSET {per_group - 1:d}) ELSE '{_LOWEST}' END "
        f"{joined(dialect, 'e.key', _ORIGIN)}"
    )


def _summary(dialect: Dialect, place: str) -> str:
    """The columns of a group in one, and only beside its newest activity: nothing is sent twice."""
    times = map(dialect.time_in_array, ("b.created_at", "b.updated_at"))
    columns = ("b.name", "b.activity_count", "b.actor_count", *times, "b.is_seen", "b.is_read", f"b.{place}")
    return f"CASE WHEN e.key = b.newest THEN {dialect.json_array(*columns)} END"


def _read(found: list[tuple[Any, ...]]) -> ActivityGroupPage:
    unseen, unread = found[0][:_GROUP] if found else (0, 0)
    # By activity, newest first: so the first of each group is the one beside its summary.
    rows = sorted((row for row in found if row[_KEY] is not None), key=itemgetter(_KEY), reverse=True)
    groups: dict[int, ActivityGroupRow] = {}
    for row in rows:
        if row[_SUMMARY] is not None:
            groups[row[_GROUP]] = _activity_group(*loads(row[_SUMMARY]))
        groups[row[_GROUP]].activities.append(ActivityRow(row[_KEY:]))
    by_place = sorted(groups.values(), key=attrgetter("place"), reverse=True)
    return ActivityGroupPage(by_place, unseen, unread)


def _activity_group(
    name: str,
    activities: int,
    actors: int,
    created_at: str,
    updated_at: str,
    is_seen: bool | int,
    is_read: bool | int,
    place: str,
) -> ActivityGroupRow:
    times = _wire_time(created_at), _wire_time(updated_at)
    marks = bool(is_seen), bool(is_read)
    return ActivityGroupRow(name, activities, actors, *times, *marks, [], uuid.UUID(place))


def _wire_time(text: str) -> str:
    """A time as JSON holds it, on SQLite as it is stored: in UTC if the site uses time zones."""
    if settings.USE_TZ and len(text) == len("2026-01-01 12:00:00.000000"):
        return f"{text[:10]}T{text[11:]}"
    moment = datetime.fromisoformat(text)
    # PostgreSQL's are in UTC anyway.
    is_local = not settings.USE_TZ and text[10] == " "
    return format_activity_time(timezone.make_aware(moment) if is_local else moment)
