"""Follows, by the feeds that follow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.client.exceptions import FeedConfigException
from django_stream.conf import stream_settings
from django_stream.operations.comparison import Entry
from django_stream.operations.sources.base import Look, Source, by_side, places_of
from django_stream.operations.spool import Side, Spool
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.publishing.publisher import Desired, Publisher, Record


class FollowSource(Source):
    """Follows, by the feeds that follow."""

    def __init__(self, publishers: Collection[Publisher], look: Look) -> None:
        super().__init__(publishers, look)
        declared = {one.declaration.feed for one in publishers if isinstance(one, FollowPublisher)}
        self._targets = {feed or stream_settings.USER_FEED for feed in declared}

    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        for record in desired.records:
            self._targets.add(FeedID.parse(record["target"]).slug)
            yield Entry(record["source"], record["target"])

    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        yield Entry(record["source"], record["target"])

    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        for places in places_of(spool, self.look, set(stream_settings.news_feeds.values())):
            for place in places:
                yield from by_side(self._follows(spool, place))

    def _follows(self, spool: Spool, place: str) -> Iterator[tuple[Side, Entry]]:
        """The newest ones, and of a feed with more than the API lists, those that are asked for by name."""
        feed = self.look.client.feed(place)
        try:
            newest = [] if self.look.sample else feed.following(limit=limits.FOLLOW_PAGE_MAX)["results"]
            yield from (self._entry(place, one["target_id"]) for one in newest)
            if self.look.sample is None and len(newest) < limits.FOLLOW_PAGE_MAX:
                return
            for targets in spool.things_at(place):
                answer = feed.following(limit=limits.FOLLOW_PAGE_MAX, feeds=targets)
                yield from (self._entry(place, one["target_id"]) for one in answer["results"])
        except FeedConfigException:
            return

    def _entry(self, place: str, target: str) -> tuple[Side, Entry]:
        is_ours = FeedID.parse(target).slug in self._targets
        record = {"source": place, "target": target}
        return (Side.FOUND if is_ours else Side.SEEN), Entry(place, target, record=record)
