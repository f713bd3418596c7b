"""Follows, by the feeds that follow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from django.contrib.auth import get_user_model
from django.db import models

from django_stream.activities.owners import may_be_user, parse_owner_id
from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.client.exceptions import FeedConfigException
from django_stream.conf import stream_settings
from django_stream.database.batches import batched
from django_stream.operations.comparison import Entry
from django_stream.operations.listed_follows import listed_follows
from django_stream.operations.sources.base import Look, Source, by_side
from django_stream.operations.spool import Side, Spool
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import slug_of
from django_stream.protocol.inspection import Inspection
from django_stream.publishing.publisher import Desired, Publisher, Record


class FollowSource(Source):
    """Follows, by the feeds that follow."""

    not_listed = "the API lists no feeds, and 500 follows of one: extra ones are found among these"

    def __init__(self, publishers: Collection[Publisher], look: Look) -> None:
        super().__init__(publishers, look)
        self._targets = {one.declaration.feed or stream_settings.USER_FEED for one in self._following()}
        self._joined: dict[tuple[type[models.Model] | None, type[models.Model] | None], bool] = {}

    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        for record in desired.records:
            self._targets.add(slug_of(record["target"]))
            yield Entry(record["source"], record["target"])

    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        yield Entry(record["source"], record["target"])

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        news = set(stream_settings.news_feeds.values())
        if self.look.inspection is not None and self.look.sample is None:
            yield from by_side(self._all(self.look.inspection, spool, news))
            return
        for places in spool.places():
            for place in places:
                if ":" in place:
                    yield from by_side(self._follows(spool, place))
        if self.look.sample is None:
            yield from by_side(self._strangers(spool, news))

    def _all(self, inspection: Inspection, spool: Spool, news: set[str]) -> Iterator[tuple[Side, Entry]]:
        known = {slug_of(one) for places in spool.places() for one in places if ":" in one}
        for source, target in inspection.follows(news | known):
            if slug_of(source) in news or spool.has(source):
                yield self._entry(source, target)

    def _strangers(self, spool: Spool, news: set[str]) -> Iterator[tuple[Side, Entry]]:
        """Feeds that neither the tables nor the ledger know, by what they follow."""
        for targets in spool.things():
            for target in targets:
                with suppress(FeedConfigException):
                    for one in listed_follows(self.look.client.feed(target).followers):
                        source = one["feed_id"]
                        if slug_of(source) in news and not spool.has(source):
                            yield self._entry(source, target)

    def _follows(self, spool: Spool, place: str) -> Iterator[tuple[Side, Entry]]:
        """The newest ones, and of a feed with more than the API lists, those that are asked for by name."""
        feed = self.look.client.feed(place)
        try:
            newest = [] if self.look.sample else list(listed_follows(feed.following))
            yield from (self._entry(place, one["target_id"]) for one in newest)
            if self.look.sample is None and len(newest) < limits.FOLLOW_REACHABLE:
                return
            for targets in spool.things_at(place):
                for some in batched(targets, limits.FOLLOW_PAGE):
                    answer = feed.following(limit=limits.FOLLOW_PAGE, feeds=some)
                    yield from (self._entry(place, one["target_id"]) for one in answer["results"])
        except FeedConfigException:
            return

    def _entry(self, place: str, target: str) -> tuple[Side, Entry]:
        is_ours = slug_of(target) in self._targets and self._joins(place, target)
        record = {"source": place, "target": target}
        return (Side.FOUND if is_ours else Side.SEEN), Entry(place, target, record=record)

    def _joins(self, place: str, target: str) -> bool:
        """Whether rows of any model could mean it: buttons and programs follow what no table names, too."""
        ends = _owner_model(place), _owner_model(target)
        if ends not in self._joined:
            follower, followed = ends
            self._joined[ends] = (
                follower is not None
                and followed is not None
                and any(one.joins(follower, followed) for one in self._following())
            )
        return self._joined[ends]

    def _following(self) -> list[FollowPublisher]:
        return [one for one in self.publishers if isinstance(one, FollowPublisher)]


def _owner_model(feed: str) -> type[models.Model] | None:
    """The model of a feed's owner; None where its name tells none."""
    name = feed.partition(":")[2]
    if owner := parse_owner_id(name):
        return owner.model
    return get_user_model() if may_be_user(name) else None
