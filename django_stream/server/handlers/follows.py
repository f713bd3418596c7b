"""Follows: follow, unfollow, followers, follows, and the batch forms."""

from __future__ import annotations

from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_groups
from django_stream.server.actions import follows as actions
from django_stream.server.actions.follows import Following, Unfollowing
from django_stream.server.activity_input import check_configured, feed_id_of
from django_stream.server.reads import follows as reads
from django_stream.server.requests import Body, Call, batch

_COPY_LIMIT_REFUSAL = (
    f"activity_copy_limit must be a non-negative number not greater than {limits.COPY_LIMIT_MAX}"
)


def follow(call: Call) -> Body:
    """Follow a feed."""
    fields = call.fields()
    target = feed_id_of(fields.get("target"), "target")
    given = fields.get("activity_copy_limit")
    default = _copy_limit(call.parameters.text("activity_copy_limit") or None, limits.COPY_LIMIT_DEFAULT)
    following = Following(call.feed_id, target, _copy_limit(given, default))
    check_followings([following], call.application_id)
    actions.follow_many(call.application_id, [following])
    return {}


def follow_many(call: Call) -> Body:
    """Make many feeds follow others."""
    items = _items(call, "follows")
    default = _copy_limit(call.parameters.text("activity_copy_limit") or None, limits.COPY_LIMIT_DEFAULT)
    entries = [(item, _copy_limit(item.get("activity_copy_limit"), default)) for item in items]
    followings = [
        Following(feed_id_of(item.get("source"), "source"), feed_id_of(item.get("target"), "target"), limit)
        for item, limit in entries
    ]
    check_followings(followings, call.application_id)
    actions.follow_many(call.application_id, followings)
    return {}


def check_followings(followings: list[Following], application_id: int) -> None:
    """Refuse feeds that cannot follow or be followed."""
    check_configured([feed for one in followings for feed in (one.source, one.target)], application_id)
    for one in followings:
        if one.source == one.target:
            raise invalid(f"{one.source} cannot follow itself", "target")
        if feed_groups.group_of(application_id, one.target.slug).grouped:
            raise invalid(f"{one.target} is not a flat feed, and only flat feeds can be followed", "target")


def _copy_limit(value: Any, default: int) -> int:
    if value is None:
        return default
    try:
        number = int(value) if not isinstance(value, bool | float) else -1
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= limits.COPY_LIMIT_MAX:
        raise invalid(_COPY_LIMIT_REFUSAL)
    return number


def unfollow(call: Call) -> Body:
    """Unfollow a feed."""
    target = feed_id_of(call.captures["target"], "target")
    # Provided is enough; some clients provide a no.
    keep = call.parameters.given("keep_history") and not call.parameters.says_no("keep_history")
    check_configured([call.feed_id, target], call.application_id)
    actions.unfollow_many(call.application_id, [Unfollowing(call.feed_id, target, keep)])
    return {}


def unfollow_many(call: Call) -> Body:
    """End many follows."""
    unfollowings = [_unfollowing(item) for item in _items(call, "unfollows")]
    actions.unfollow_many(call.application_id, unfollowings)
    return {}


def _unfollowing(item: dict[str, Any]) -> Unfollowing:
    source, target, keep = item.get("source"), item.get("target"), item.get("keep_history") or False
    if not isinstance(source, str) or not isinstance(target, str) or not isinstance(keep, bool):
        raise invalid("invalid request payload")
    return Unfollowing(feed_id_of(source, "source"), feed_id_of(target, "target"), keep)


def _items(call: Call, name: str) -> list[dict[str, Any]]:
    """The list that is the whole body; an empty one arrives as `{}` from some clients."""
    if not call.body:
        return []
    items = batch(call.body, name, limits.FOLLOWS_PER_REQUEST)
    if not all(isinstance(item, dict) for item in items):
        raise invalid("invalid request payload")
    return list(items)


def followers(call: Call) -> Body:
    """List the feeds that follow a feed."""
    return {"results": [row.shape() for row in reads.followers(*_page_of(call))]}


def follows(call: Call) -> Body:
    """List the feeds that a feed follows."""
    return {"results": [row.shape() for row in reads.follows(*_page_of(call))]}


def _page_of(call: Call) -> tuple[int, FeedID, list[FeedID], int, int]:
    feed_groups.group_of(call.application_id, call.feed_id.slug)
    named = batch(call.parameters.listed("filter"), "filter", limits.FOLLOW_FILTER_MAX)
    among = [feed_id_of(name, "filter") for name in named]
    limit = call.parameters.number("limit", limits.PAGE_DEFAULT, most=limits.FOLLOW_PAGE_MAX)
    offset = call.parameters.number("offset", 0, most=limits.FOLLOW_OFFSET_MAX)
    return call.application_id, call.feed_id, among, limit, offset


def stats(call: Call) -> Body:
    """Count the followers of a feed, and the feeds that it follows."""
    results: dict[str, Any] = {}
    for name, side in (("followers", "target"), ("following", "source")):
        if call.parameters.text(name):
            feed = feed_id_of(call.parameters.text(name), name)
            check_configured([feed], call.application_id)
            slugs = call.parameters.listed(f"{name}_slugs")
            results[name] = {
                "feed": str(feed),
                "count": reads.count(call.application_id, side, feed, slugs),
            }
    if not results:
        raise invalid("followers or following must name a feed", "followers")
    return {"results": results}
