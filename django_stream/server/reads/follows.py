"""Who follows whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from django_stream.database.conditions import Column, equal, is_null, time_text
from django_stream.database.statements import Database, Row
from django_stream.database.transactions import database_to_read
from django_stream.protocol import limits, wire
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.models import Feed, Follow
from django_stream.server.reads.feeds import find, numbers
from django_stream.server.reads.reaction_rows import wire_time


class FollowRow(NamedTuple):
    """An open follow, and which feeds it is between."""

    source_id: int
    target_id: int
    source: FeedID
    target: FeedID
    created_at: datetime | str
    """In the type of the database."""

    def shape(self) -> wire.Follow[str]:
        moment = wire_time(self.created_at)
        return {
            "feed_id": str(self.source),
            "target_id": str(self.target),
            "created_at": moment,
            "updated_at": moment,
        }


def followers(
    application_id: int, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[FollowRow]:
    """The feeds that follow this one, newest follow first."""
    return _page(application_id, "target", feed_id, among, limit, offset)


def follows(
    application_id: int, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[FollowRow]:
    """The feeds that this one follows, newest follow first."""
    return _page(application_id, "source", feed_id, among, limit, offset)


def count(application_id: int, side: str, feed_id: FeedID, slugs: Sequence[str]) -> int:
    """How many open follows have the feed on this side ("source" or "target"), capped."""
    feed = find(application_id, feed_id)
    if feed is None:
        return 0
    if not slugs:
        along, is_open = equal(f"{side}_id", feed), is_null("until_seq")
        return Database.to_read(Follow).counted(Follow, along, "id", limits.FOLLOW_COUNT_CAP, is_open)
    # Not by what the index of open pairs has as its condition: without statistics, PostgreSQL would read all
    # of that one for the sake of few rows.
    rows = _all().annotate(ended=Coalesce("until_seq", -1)).filter(**{side: feed}, ended=-1)
    rows = rows.filter(**{f"{_OTHER[side]}__slug__in": slugs})
    return rows.order_by()[: limits.FOLLOW_COUNT_CAP].count()


_OTHER = {"source": "target", "target": "source"}


def _all() -> QuerySet[Follow]:
    return Follow.objects.using(database_to_read(Follow))


def _page(
    application_id: int, side: str, feed_id: FeedID, among: Sequence[FeedID], limit: int, offset: int
) -> list[FollowRow]:
    feed = find(application_id, feed_id)
    part = slice(offset, min(offset + limit, limits.FOLLOW_REACHABLE))
    if feed is None or part.start >= part.stop:
        return []
    named = numbers(application_id, among) if among else None
    found = _newest(side, feed, part) if named is None else _named(side, feed, named)[part]
    return [
        _row(side, (feed, feed_id), (number, FeedID(slug, user_id)), created_at)
        for number, slug, user_id, created_at in found
    ]


def _newest(side: str, feed: int, part: slice) -> list[Row]:
    other = _OTHER[side]
    columns: list[Column] = [f"r.{other}_id", "o.slug", "o.user_id", time_text("r.created_at")]
    along, is_open = equal(f"{side}_id", feed), is_null("until_seq")
    database = Database.to_read(Follow)
    return database.walk(Follow, columns, along, "id DESC", part, is_open, other=(Feed, f"{other}_id"))


def _named(side: str, feed: int, others: Collection[int]) -> list[Row]:
    other = _OTHER[side]
    rows = _all().filter(**{side: feed, f"{other}__in": others}, until_seq__isnull=True).order_by("-id")
    return list(rows.values_list(f"{other}_id", f"{other}__slug", f"{other}__user_id", "created_at"))


def _row(
    side: str, one: tuple[int, FeedID], another: tuple[int, FeedID], created_at: datetime | str
) -> FollowRow:
    source, target = (one, another) if side == "source" else (another, one)
    return FollowRow(source[0], target[0], source[1], target[1], created_at)
