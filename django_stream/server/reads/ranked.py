"""A page of a flat feed in the order of a ranking method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django_stream.protocol.activity_ids import activity_id, sort_key
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.aggregation.names import fields_of
from django_stream.server.feed_groups import FeedGroup
from django_stream.server.ranking.methods import Subject, method_of
from django_stream.server.reads import reaction_counts
from django_stream.server.timelines import Window, timelines

# Scores are computed when read: what is older than so many activities is not ranked.
RANKED_ACTIVITIES = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scored:
    """An activity with its score and the variables that made it."""

    activity: ActivityRow
    score: float
    variables: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RankedPage:
    """Part of a ranked feed, highest score first."""

    entries: list[Scored]
    more: bool
    session: str


def page(
    application_id: int,
    feed_id: FeedID,
    feed_group: FeedGroup,
    name: str,
    external: Mapping[str, Any],
    *,
    limit: int,
    offset: int,
    session: str,
) -> RankedPage:
    """Rank the newest activities by a method whose clock stands still for a session.

    A session leaves out what came after it began, so that pages neither repeat nor skip.
    """
    now = _clock(session)
    method = method_of(feed_group, name, now)
    window = Window(RANKED_ACTIVITIES, up_to=sort_key(activity_id(now, "")))
    entries = timelines().page(application_id, feed_id, window)
    items = [row for row in entries if row.actor is not None]
    counts = reaction_counts.of(application_id, [row.key for row in items])
    scored = []
    for row in items:
        subject = Subject(row.activity_id, row.time, fields_of(row), counts.get(row.key, {}))
        scored.append(Scored(row, *method.score(subject, external)))
    # Equal scores keep the order of time, in which they came.
    scored.sort(key=lambda one: one.score, reverse=True)
    return RankedPage(
        scored[offset : offset + limit], more=len(scored) > offset + limit > offset, session=_session(now)
    )


def _clock(session: str) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=int(session, 36))
    except (ValueError, OverflowError):
        return datetime.now(UTC)


def _session(now: datetime) -> str:
    number, digits = (now - _EPOCH) // timedelta(microseconds=1), ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits
