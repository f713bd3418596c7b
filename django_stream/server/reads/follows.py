"""Who follows whom."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from django_stream.database.statements import Database, equal, is_null
from django_stream.database.transactions import database_to_read
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.models import Feed, Follow
from django_stream.server.reads.feeds import find, numbers


def followers(
    application_id: int, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[Follow]:
    """The feeds that follow this one, newest follow first."""
    return _page(application_id, "target", feed_id, among, limit, offset)


def follows(
    application_id: int, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[Follow]:
    """The feeds that this one follows, newest follow first."""
    return _page(application_id, "source", feed_id, among, limit, offset)


def count(application_id: int, side: str, feed_id: FeedID, slugs: Sequence[str]) -> int:
    """How many open follows have the feed on this side ("source" or "target"), capped."""
    feed = find(application_id, feed_id)
    if feed is None:
        return 0
    # Not by what the index of open pairs has as its condition: without statistics, PostgreSQL would read all
    # of that one for the sake of few rows.
    rows = _all().annotate(ended=Coalesce("until_seq", -1)).filter(**{side: feed}, ended=-1)
    if slugs:
        rows = rows.filter(**{f"{_OTHER[side]}__slug__in": slugs})
    return rows.order_by()[: limits.FOLLOW_COUNT_CAP].count()


_OTHER = {"source": "target", "target": "source"}


def _all() -> QuerySet[Follow]:
    return Follow.objects.using(database_to_read(Follow))


def _page(
    application_id: int, side: str, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[Follow]:
    feed = find(application_id, feed_id)
    part = slice(offset, min(offset + limit, limits.FOLLOW_REACHABLE))
    if feed is None or part.start >= part.stop:
        return []
    if among:
        others = {f"{_OTHER[side]}__in": numbers(application_id, among)}
        rows = _all().filter(**{side: feed}, **others, until_seq__isnull=True)
        return _with_feeds(list(rows.order_by("-id")[part]))
    along = equal(f"{side}_id", feed)
    found = Database.to_read(Follow).walk(Follow, ["id"], along, "id DESC", part, is_null("until_seq"))
    return _with_feeds(list(_all().filter(pk__in=[number for (number,) in found]).order_by("-id")))


def _with_feeds(rows: list[Follow]) -> list[Follow]:
    """In a statement of their own: without statistics, PostgreSQL would join all feeds that there are."""
    wanted = {number for row in rows for number in (row.source_id, row.target_id)}
    feeds = Feed.objects.using(database_to_read(Feed)).in_bulk(wanted)
    for row in rows:
        row.source, row.target = feeds[row.source_id], feeds[row.target_id]
    return rows
