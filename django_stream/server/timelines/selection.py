"""Which feeds and activities a change concerns, as queries that stand inside statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database, equal, in_list, in_query, union
from django_stream.server.models import Feed, Follow


@dataclass(frozen=True, slots=True)
class FeedSelection:
    """Some feeds of one application, by the numbers of their rows."""

    database: Database
    query: Fragment
    """It gives the numbers."""
    anchor: int
    """One feed of the application, selected or not."""

    @classmethod
    def of(cls, database: Database, feeds: Collection[int]) -> FeedSelection:
        """Just these."""
        query = database.query(Feed, ["id"], in_list("id", feeds))
        return cls(database, query, next(iter(feeds)))

    @classmethod
    def with_followers(cls, database: Database, feeds: Collection[int]) -> FeedSelection:
        """These and all that follow or followed them."""
        followers = database.query(Follow, ["source_id"], in_list("target_id", feeds))
        query = union(database.query(Feed, ["id"], in_list("id", feeds)), followers)
        return cls(database, query, next(iter(feeds)))

    @classmethod
    def followers(cls, database: Database, target: int, after: int, up_to: int) -> FeedSelection:
        """The followers of a feed by the follows with an id above `after` and not above `up_to`."""
        follows = Fragment("target_id = %s AND id > %s AND id <= %s", [target, after, up_to])
        return cls(database, database.query(Follow, ["source_id"], follows), target)

    @classmethod
    def by_follows(cls, database: Database, follows: Sequence[int], target: int) -> FeedSelection:
        """The followers by the follows with these ids, one of which has this target."""
        return cls(database, database.query(Follow, ["source_id"], in_list("id", follows)), target)

    def of_slug(self, slug: str) -> FeedSelection:
        """Those of one feed group."""
        query = self.database.query(Feed, ["id"], equal("slug", slug), in_query("id", self.query))
        return replace(self, query=query)


@dataclass(frozen=True, slots=True)
class VisibleEntries:
    """Those of some activities that are visible on some feeds."""

    feeds: FeedSelection
    keys: Fragment
    """Their sort keys, as the inside of an IN list."""
    origins: Fragment | None = None
    """Likewise, values of `via`: only what one of these brought. None: whatever brought it."""

    def of_slug(self, slug: str) -> VisibleEntries:
        """Those on the feeds of one feed group."""
        return replace(self, feeds=self.feeds.of_slug(slug))


def listed(values: Collection[Any]) -> Fragment:
    """Values as the inside of an IN list."""
    return Fragment(",".join(["%s"] * len(values)), [*values])
