"""What a user token may ask for: the default policy of the hosted service (reference, section 13).

These rules look at the request alone. Whether a stored thing is the user's is decided under its lock: see
`ownership.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.references import user_reference
from django_stream.server.activity_input import feed_id_of
from django_stream.server.ownership import denied
from django_stream.server.requests import Call

# Anyone reads these feeds; every other one only its owner.
_PUBLIC_TO_READ = frozenset({"user"})
# A `to` list may name these feeds of other users.
_OPEN_TO_ADDRESS = frozenset({"notification"})
_FOLLOWABLE = frozenset({"user", "timeline"})


def allow(condition: bool) -> None:
    """Refuse the call unless the condition holds."""
    if not condition:
        raise denied()


def anyone(call: Call) -> None:
    """Every user of the application."""


def owns(call: Call, feed: FeedID) -> bool:
    """Whether the feed is the user's own."""
    return feed.user_id == call.principal.user_id


def may_address(call: Call, feed: FeedID) -> bool:
    """Whether the user may have activities put on this feed by a `to` list or a reaction."""
    return owns(call, feed) or feed.slug in _OPEN_TO_ADDRESS


def may_read(user_id: str | None, feed: FeedID) -> bool:
    """Whether a feed is the user's own, or public."""
    return feed.user_id == user_id or feed.slug in _PUBLIC_TO_READ


def read_feed(call: Call) -> None:
    """Read one's own feeds and public ones; mark one's own only."""
    allow(may_read(call.principal.user_id, call.feed_id))
    if call.parameters.given("mark_read", "mark_seen", "mark_unread"):
        allow(owns(call, call.feed_id))


def own_feed(call: Call) -> None:
    """One's own feed."""
    allow(owns(call, call.feed_id))


def post(call: Call) -> None:
    """Post to one's own feed, as the actor, addressed to own feeds and feeds that are open to address."""
    allow(owns(call, call.feed_id))
    fields = call.fields()
    _check_actor_and_targets(call, fields.get("activities", [fields]))


def update_own(call: Call) -> None:
    """Replace or create activities in one's own name."""
    _check_actor_and_targets(call, call.fields().get("activities"))


def change_own(call: Call) -> None:
    """Partial updates of the user's own activities, which cannot be given to another actor."""
    fields = call.fields()
    for item in _objects(fields.get("changes", [fields])):
        changed = item.get("set")
        if isinstance(changed, dict) and "actor" in changed:
            allow(changed["actor"] == _own_reference(call))


def retarget(call: Call) -> None:
    """Targets of activities on one's own feed: own feeds, and feeds that are open to address."""
    allow(owns(call, call.feed_id))
    for item in _objects(call.body if isinstance(call.body, list) else [call.fields()]):
        for field in ("new_targets", "added_targets"):
            _check_addressed(call, item.get(field), field)


def _check_actor_and_targets(call: Call, items: Any) -> None:
    """The actor is the user, who may address so many feeds in one request."""
    named: set[str] = set()
    for item in _objects(items):
        allow(item.get("actor") in (None, _own_reference(call)))
        _check_addressed(call, item.get("to"), "to")
        named |= {str(name) for name in item.get("to") or ()} if isinstance(item.get("to"), list) else set()
    if len(named) > limits.TARGETS_PER_USER_REQUEST:
        most = limits.TARGETS_PER_USER_REQUEST
        raise invalid(f"a user may address at most {most} feeds in one request, not {len(named)}", "to")


def _check_addressed(call: Call, names: Any, field: str) -> None:
    for name in names if isinstance(names, list) else []:
        allow(may_address(call, feed_id_of(name, field)))


def _objects(items: Any) -> list[dict[str, Any]]:
    """The well-formed items; what is malformed is left to the endpoint to refuse."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _own_reference(call: Call) -> str:
    return user_reference(call.principal.user_id)


def follow(call: Call) -> None:
    """Let one's own feed follow feeds of the public groups."""
    allow(owns(call, call.feed_id))
    allow(feed_id_of(call.fields().get("target"), "target").slug in _FOLLOWABLE)


def same_user(call: Call, users: Iterable[str]) -> None:
    """Refuse the call unless all these are the token's user."""
    allow(all(user == call.principal.user_id for user in users))
