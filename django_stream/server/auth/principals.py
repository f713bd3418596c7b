"""Who is calling: an application's server, or one of its users."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django_stream.protocol import scopes
from django_stream.protocol.feed_ids import FeedID


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a verified token: `user_id` is None for the application's own server."""

    application_id: int
    user_id: str | None = None
    resources: frozenset[str] = frozenset({scopes.ANY})
    actions: frozenset[str] = frozenset({scopes.ANY})
    feeds: frozenset[str] = frozenset({scopes.ANY})
    """What the claim `feed_id` names: feed ids, or their concatenated forms (`news1234`)."""

    @property
    def is_server(self) -> bool:
        return self.user_id is None

    def may(self, resource: str, action: str, feed: FeedID | None, slugs: Collection[str]) -> bool:
        """Whether a server token opens this resource and action and, if there is one, this feed.

        `slugs` are those of the application's feed groups: a concatenated form names the feed of the
        longest slug that it begins with, and no other.
        """
        if not _covers(self.resources, resource) or not _covers(self.actions, action):
            return False
        if scopes.ANY in self.feeds:
            return True
        return feed is not None and any(_names(claim, feed, slugs) for claim in self.feeds)


def _names(claim: str, feed: FeedID, slugs: Collection[str]) -> bool:
    if ":" in claim:
        return claim == str(feed)
    longest = max((slug for slug in slugs if claim.startswith(slug)), key=len, default=feed.slug)
    return claim == feed.packed and longest == feed.slug


def _covers(claimed: frozenset[str], wanted: str) -> bool:
    return scopes.ANY in claimed or wanted in claimed
