"""Where groups stood when somebody began to read: entries know when they came, and leave a trace.

A group that nothing but newer activities came to is told by its newest alone. Every other change of what it
holds is noted in it: something left it, or something came that is older than the leeway.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django_stream.database.conditions import rows_among
from django_stream.database.dialect import Dialect, Fragment
from django_stream.database.statements import Database
from django_stream.protocol.activity_ids import activity_id, sort_key
from django_stream.protocol.times import now_in_microseconds as now
from django_stream.server.models import FormerGroupEntry
from django_stream.server.timelines.base import AsOf
from django_stream.server.timelines.tables import ACTIVITY_GROUP, ENTRY, FORMER_ENTRY

MOVED_MAX = 1000
"""So many groups can move while somebody reads, and still be met where they were."""

# An activity that comes later than this after its time is backdated. Clocks of servers may differ by less.
_LEEWAY = timedelta(seconds=30)
_KEPT = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)

_THERE = "group_id = m.id AND key <= %s AND entered_at <= %s"
_PLACE = (
    f"(SELECT key FROM {ENTRY} WHERE {_THERE} UNION ALL "
    f"SELECT key FROM {FORMER_ENTRY} WHERE {_THERE} AND left_at > %s ORDER BY key DESC LIMIT 1)"
)
STEADY = " AND newest <= %s AND past_changed_at <= %s"
"""The groups of a feed that stand where they stood."""


def backdated_before(moment: int) -> uuid.UUID:
    """Activities with lower sort keys are backdated if they came then, in microseconds since 1970."""
    return _before(moment)


def steady(dialect: Dialect, as_of: AsOf) -> list[Any]:
    """The parameters of `STEADY`."""
    return [_floor(dialect, as_of), as_of.moment]


def moved(dialect: Dialect, feed: Fragment, as_of: AsOf) -> Fragment:
    """The other groups, each with its place then."""
    newest, moment = dialect.param(as_of.newest), as_of.moment
    of_feed = f"SELECT id FROM {ACTIVITY_GROUP} WHERE feed = {feed.text}"
    text = (
        f"SELECT m.*, {_PLACE} AS place FROM {ACTIVITY_GROUP} m WHERE m.id IN ("
        f"SELECT id FROM ({of_feed} AND newest > %s ORDER BY newest LIMIT {MOVED_MAX:d}) grown UNION "
        # Zero is said once more for the partial index.
        f"SELECT id FROM ({of_feed} AND past_changed_at > %s AND past_changed_at > 0 "
        f"ORDER BY past_changed_at LIMIT {MOVED_MAX:d}) changed)"
    )
    place = [newest, moment, newest, moment, moment]
    return Fragment(text, [*place, *feed.params, _floor(dialect, as_of), *feed.params, moment])


def keep(database: Database, pairs: Sequence[tuple[int, uuid.UUID]]) -> None:
    """Note of entries (feed and key) that they leave their groups."""
    chosen = database.where(rows_among({"feed": "bigint", "key": "uuid"}, pairs))
    database.execute(
        f"INSERT INTO {FORMER_ENTRY} (group_id, key, entered_at, left_at) "
        f"SELECT group_id, key, entered_at, %s FROM {ENTRY} WHERE {chosen.text} ON CONFLICT DO NOTHING",
        [now(), *chosen.params],
    )


def prune(database: Database) -> None:
    """Forget what left its group long ago."""
    database.delete(FormerGroupEntry, Fragment("left_at < %s", [now() - _KEPT // _MICROSECOND]))


def _floor(dialect: Dialect, as_of: AsOf) -> Any:
    """Up to here all that came since was backdated, and is noted."""
    return dialect.param(min(as_of.newest, _before(as_of.moment)))


def _before(moment: int) -> uuid.UUID:
    return sort_key(activity_id(datetime.fromtimestamp(moment / 1_000_000, UTC) - _LEEWAY, ""))
