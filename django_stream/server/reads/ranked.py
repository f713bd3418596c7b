"""A page of a flat feed in the order of a ranking method."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.aggregation.names import fields_of
from django_stream.server.feed_groups import FeedGroup
from django_stream.server.ranking.methods import RankingMethod, Subject, failed, method_of
from django_stream.server.ranking.parser import FormulaError, MissingVariable
from django_stream.server.ranking.sessions import Place, Session, order_of
from django_stream.server.reads import reaction_counts
from django_stream.server.timelines import Window, timelines

logger = logging.getLogger("django_stream.server")

# Scores are computed when read: what is older than so many activities is not ranked.
RANKED_ACTIVITIES = 1000


@dataclass(frozen=True, slots=True)
class Scored:
    """An activity with its score and the variables that made it."""

    activity: ActivityRow
    score: float | None
    """None when the formula has no result for it."""
    variables: Mapping[str, float]
    problem: FormulaError | None = None

    @property
    def order(self) -> tuple[bool, float, uuid.UUID]:
        return order_of(self.score, self.activity.key)


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

    A session leaves out what came after it began, so that pages neither repeat nor skip. Activities
    that the formula has no result for come last, and one line of the log says so.
    """
    begun = Session.parse(session)
    method = method_of(feed_group, name, begun.now)
    window = Window(RANKED_ACTIVITIES, up_to=begun.newest)
    entries = timelines().page(application_id, feed_id, window)
    if begun.newest is None and entries:
        newest = max(entries[0].key, begun.bound)
        begun = Session(begun.now, newest, counted=reaction_counts.newest())
    items = [row for row in entries if row.actor is not None]
    counts = reaction_counts.of(application_id, [row.key for row in items], at=begun.counted)
    scored = [_scored(method, row, counts.get(row.key, {}), external) for row in items]
    _check_scores(scored, feed_id, name)
    scored.sort(key=attrgetter("order"), reverse=True)
    if begun.place is not None and begun.place.offset == offset:
        rest = [one for one in scored if one.order < begun.place.order]
    else:
        rest = scored[offset:]
    shown = rest[:limit]
    if shown:
        begun = replace(begun, place=Place(offset + limit, shown[-1].score, shown[-1].activity.key))
    return RankedPage(shown, more=len(rest) > limit > 0, session=str(begun))


def _scored(
    method: RankingMethod, row: ActivityRow, counts: Mapping[str, int], external: Mapping[str, Any]
) -> Scored:
    subject = Subject(row.activity_id, row.time, fields_of(row), counts)
    try:
        return Scored(row, *method.score(subject, external))
    except FormulaError as error:
        return Scored(row, None, {}, error)


def _check_scores(scored: list[Scored], feed_id: FeedID, name: str) -> None:
    """One line of the log for a page's unscored activities; 400 for a variable that none of them has."""
    unscored = [one for one in scored if one.score is None]
    if scored and all(isinstance(one.problem, MissingVariable) for one in scored):
        raise failed(f"ranking method '{name}': {scored[0].problem}")
    if unscored:
        first = unscored[0]
        logger.warning(
            "%d of %d activities of %s have no score by the ranking %r; activity %s: %s",
            *(len(unscored), len(scored), feed_id, name, first.activity.activity_id, first.problem),
        )
