"""Who follows whom."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from django_stream.database.transactions import database_to_read
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.models import Follow
from django_stream.server.reads.feeds import find, numbers


def followers(
    application_id: int, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[Follow]:
    """The feeds that follow this one, newest follow first."""
    return _page(application_id, _open(application_id, "target", feed_id), "source", among, limit, offset)


def follows(
    application_id: int, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[Follow]:
    """The feeds that this one follows, newest follow first."""
    return _page(application_id, _open(application_id, "source", feed_id), "target", among, limit, offset)


def count(application_id: int, side: str, feed_id: FeedID, slugs: Sequence[str]) -> int:
    """How many open follows have the feed on this side ("source" or "target"), capped."""
    other = "target" if side == "source" else "source"
    rows = _open(application_id, side, feed_id)
    if slugs:
        rows = rows.filter(**{f"{other}__slug__in": slugs})
    return rows.order_by()[: limits.FOLLOW_COUNT_CAP].count()


def _open(application_id: int, side: str, feed_id: FeedID) -> QuerySet[Follow]:
    rows = Follow.objects.using(database_to_read(Follow))
    feed = find(application_id, feed_id)
    return rows.none() if feed is None else rows.filter(**{side: feed}, until_seq__isnull=True)


def _page(
    application_id: int,
    rows: QuerySet[Follow],
    other: str,
    among: Sequence[FeedID],
    limit: int,
    offset: int,
) -> list[Follow]:
    if among:
        rows = rows.filter(**{f"{other}__in": numbers(application_id, among)})
    end = min(offset + limit, limits.FOLLOW_REACHABLE)
    return list(rows.select_related("source", "target").order_by("-id")[offset:end])
