"""Follows of many feeds in one call, and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_stream.client import validation
from django_stream.client.api import ANYTHING, Api, Scope
from django_stream.client.encoding import comma_joined
from django_stream.client.exceptions import ValidationError
from django_stream.client.types import Done, FollowStats
from django_stream.protocol import limits, scopes

_SCOPE: Scope = (scopes.FOLLOWER, scopes.ANY)


class FollowCalls:
    """The part of the client that is about follows."""

    api: Api

    def follow_many(
        self, follows: Iterable[Mapping[str, Any]], activity_copy_limit: int | None = None
    ) -> Done:
        """Make follows of the form {"source": "timeline:1", "target": "user:2"}; 2,500 per request.

        An entry may have its own `activity_copy_limit`.
        """
        query = {"activity_copy_limit": validation.copy_limit(activity_copy_limit)}
        entries = _relations(follows, "follows")
        for entry in entries:
            validation.copy_limit(entry.get("activity_copy_limit"))
        return self._send("follow_many/", entries, query)

    def unfollow_many(self, unfollows: Iterable[Mapping[str, Any]]) -> Done:
        """End follows; an entry may say `keep_history`. 2,500 per request."""
        return self._send("unfollow_many/", _relations(unfollows, "unfollows"), None)

    def _send(self, path: str, entries: list[dict[str, Any]], query: dict[str, Any] | None) -> Done:
        results = self.api.batches(
            entries,
            limits.FOLLOWS_PER_REQUEST,
            lambda part: self.api.call("POST", path, _SCOPE, query=query, body=part, repeatable=True),
        )
        done: Done = results[-1]
        return done

    def follow_stats(
        self,
        feed_id: str,
        followers_slugs: Iterable[str] | str | None = None,
        following_slugs: Iterable[str] | str | None = None,
    ) -> FollowStats:
        """How many follow a feed and how many it follows, of all groups or of those named."""
        feed = validation.validate_feed_id(feed_id)
        query = {"followers": feed, "following": feed}
        for name, slugs in (("followers_slugs", followers_slugs), ("following_slugs", following_slugs)):
            if slugs:
                query[name] = comma_joined(name, slugs)
        stats: FollowStats = self.api.call("GET", "stats/follow/", ANYTHING, query=query)
        return stats


def _relations(entries: Iterable[Mapping[str, Any]], field: str) -> list[dict[str, Any]]:
    relations = []
    for index, entry in enumerate(validation.listed(entries, field)):
        if not isinstance(entry, Mapping):
            raise ValidationError(f"{field}[{index}] must be a mapping with source and target", field)
        relation = dict(entry)
        for side in ("source", "target"):
            if side not in relation:
                raise ValidationError(f"{field}[{index}] lacks {side!r}", side)
            [relation[side]] = validation.feed_list([relation[side]], side)
        relations.append(relation)
    return relations
