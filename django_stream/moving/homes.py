"""What a home of the feeds tells by its API alone: follows, activities, reactions, page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django_stream.client import Feed, StreamClient
from django_stream.database.batches import batched
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.wire import members

# What the API adds to an activity, and what is said of it anew where it is added.
_NOT_SENT = frozenset({"id", "origin", "is_seen", "is_read", "score", "analytics"})

Activity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Home:
    """Reads one home."""

    client: StreamClient

    def feed(self, name: FeedID) -> Feed:
        return self.client.feed(name.slug, name.user_id)

    def follows(self, name: FeedID, candidates: Callable[[], Iterable[FeedID]]) -> Iterator[FeedID]:
        """Whom a feed follows. Beyond those that the API lists, it is asked of all candidates by name."""
        listed: list[FeedID] = []
        while len(listed) <= limits.FOLLOW_OFFSET_MAX and (page := self._follow_page(name, len(listed))):
            listed += page
        yield from listed
        if len(listed) <= limits.FOLLOW_OFFSET_MAX:
            return
        known = set(listed)
        for some in batched(candidates(), min(limits.PAGE_MAX, limits.FOLLOW_PAGE_MAX)):
            asked = [str(one) for one in some if one not in known]
            if asked:
                answer = self.feed(name).following(limit=len(asked), feeds=asked)
                yield from (FeedID.parse(one["target_id"]) for one in answer["results"])

    def _follow_page(self, name: FeedID, offset: int) -> list[FeedID]:
        page = self.feed(name).following(offset=offset, limit=limits.FOLLOW_PAGE_MAX)
        return [FeedID.parse(one["target_id"]) for one in page["results"]]

    def pages(self, name: FeedID, **options: Any) -> Iterator[list[dict[str, Any]]]:
        """The entries of a feed: activities or groups, newest first."""
        place: dict[str, Any] = {}
        while entries := self.feed(name).get(limit=limits.PAGE_MAX, **place, **options)["results"]:
            yield [dict(entry) for entry in entries]
            place = {"id_lt": entries[-1]["id"]}

    def reactions(self, activities: Iterable[Activity]) -> Iterator[dict[str, Any]]:
        """Those of activities, each before its children, oldest first, as the next home is to show them."""
        ids = [one["id"] for one in activities]
        counted = self.client.get_activities(ids=ids, reactions={"counts": True})["results"] if ids else []
        for one in counted:
            if any(one.get("reaction_counts", {}).values()):
                yield from self._reactions(activity_id=one["id"])

    def _reactions(self, **lookup: Any) -> Iterator[dict[str, Any]]:
        found: list[Any] = []
        page = self.client.reactions.filter(limit=limits.REACTION_PAGE_MAX, **lookup)["results"]
        while page:
            found += page
            place = {"id_lt": page[-1]["id"]}
            page = self.client.reactions.filter(limit=limits.REACTION_PAGE_MAX, **place, **lookup)["results"]
        for one in reversed(found):
            yield one
            if any(one.get("children_counts", {}).values()):
                yield from self._reactions(reaction_id=one["id"])


def originals(name: FeedID, entries: Iterable[dict[str, Any]]) -> Iterator[Activity]:
    """The activities that were added to this feed itself: not brought by a follow, nor by their `to`."""
    for entry in entries:
        for activity in members(entry):
            if origin_of(activity) in ("", str(name)) and str(name) not in targets_of(activity):
                yield dict(activity)


def origin_of(activity: Activity) -> str:
    return activity.get("origin") or ""


def targets_of(activity: Activity) -> list[str]:
    """Feed ids of its `to`, which older answers pair with tokens."""
    return [one if isinstance(one, str) else one[0] for one in activity.get("to") or ()]


def to_send(activity: Activity) -> Activity:
    """An activity as it was added; one without a foreign id gets one, by which it is known again."""
    content = {name: value for name, value in activity.items() if name not in _NOT_SENT}
    content["foreign_id"] = activity.get("foreign_id") or f"activity:{activity['id']}"
    content["to"] = targets_of(activity)
    return {name: value for name, value in content.items() if value not in ("", None, [])}


def references(activities: Iterable[Activity], prefix: str) -> Iterator[str]:
    """What the values of activities refer to with `SO:` or `SU:`, without the prefix."""
    for activity in activities:
        for value in activity.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str) and one.startswith(prefix):
                    yield one.removeprefix(prefix)


def slugs_of(feeds: Collection[str]) -> tuple[list[str], list[FeedID]]:
    """Names of groups, and whole feed ids, of what somebody has named."""
    whole = [FeedID.parse(one) for one in feeds if ":" in one]
    return [one for one in feeds if ":" not in one], whole
