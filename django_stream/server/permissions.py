"""What a user token may do: the default policy of the hosted service (reference, section 13)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django_stream.protocol.errors import ApiError
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.references import user_reference
from django_stream.server.activity_input import feed_id_of, key_of, key_or_none, moment_of
from django_stream.server.reads import activities
from django_stream.server.requests import Call

# Anyone reads these feeds; every other one only its owner.
_PUBLIC_TO_READ = frozenset({"user"})
# Anyone may be told something: these feeds of other users may stand in `to`.
_OPEN_TO_ADDRESS = frozenset({"notification"})
_FOLLOWABLE = frozenset({"user", "timeline"})


def denied() -> ApiError:
    return ApiError.named(
        "NotAllowedException",
        "You don't have permission to do this: no policies of this application allow the request. "
        "See https://getstream.io/docs/",
    )


def allow(condition: bool) -> None:
    if not condition:
        raise denied()


def anyone(call: Call) -> None:
    """Every user of the application."""


def owns(call: Call, feed: FeedID) -> bool:
    return feed.user_id == call.principal.user_id


def may_address(call: Call, feed: FeedID) -> bool:
    """Whether the user may have activities put on this feed by a `to` list or a reaction."""
    return owns(call, feed) or feed.slug in _OPEN_TO_ADDRESS


def read_feed(call: Call) -> None:
    allow(owns(call, call.feed_id) or call.feed_id.slug in _PUBLIC_TO_READ)
    if call.parameters.given("mark_read", "mark_seen"):
        allow(owns(call, call.feed_id))


def own_feed(call: Call) -> None:
    allow(owns(call, call.feed_id))


def post(call: Call) -> None:
    """To one's own feed, in one's own name, addressed to whom one may address."""
    allow(owns(call, call.feed_id))
    fields = call.fields()
    _in_own_name(call, fields.get("activities", [fields]))


def update_own(call: Call) -> None:
    """Replace or create activities in one's own name."""
    _in_own_name(call, call.fields().get("activities"))


def change_own(call: Call) -> None:
    """Partial updates of what the user did, and never into somebody else's doing."""
    fields = call.fields()
    items = _objects(fields.get("changes", [fields]))
    _untaken(call, items)
    for item in items:
        changed = item.get("set")
        allow(not isinstance(changed, dict) or changed.get("actor", _me(call)) == _me(call))


def retarget(call: Call) -> None:
    """Of one's own feed, to whom one may address."""
    allow(owns(call, call.feed_id))
    for item in _objects(call.body if isinstance(call.body, list) else [call.fields()]):
        for field in ("new_targets", "added_targets"):
            _may_address_all(call, item.get(field), field)


def _in_own_name(call: Call, items: Any) -> None:
    """No impersonation: the actor is the user, and nobody else's activity is replaced."""
    for item in _objects(items):
        allow(item.get("actor") in (None, _me(call)))
        _may_address_all(call, item.get("to"), "to")
    _untaken(call, _objects(items))


def _untaken(call: Call, items: list[dict[str, Any]]) -> None:
    """The activities that are named are the user's or nobody's."""
    keys = {key for item in items if (key := _named(item)) is not None}
    stored = activities.by_key(call.application_id, keys) if keys else {}
    allow(all(activity.actor == _me(call) for activity in stored.values()))


def _named(item: dict[str, Any]) -> uuid.UUID | None:
    if item.get("foreign_id") is None:
        return key_or_none(item.get("id"))
    try:
        return key_of(str(item["foreign_id"]), moment_of(item.get("time")))
    except ApiError:
        return None


def _may_address_all(call: Call, names: Any, field: str) -> None:
    for name in names if isinstance(names, list) else []:
        allow(may_address(call, feed_id_of(name, field)))


def _objects(items: Any) -> list[dict[str, Any]]:
    """The well-formed items; what is malformed is left to the endpoint to refuse."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _me(call: Call) -> str:
    return user_reference(call.principal.user_id)


def follow(call: Call) -> None:
    allow(owns(call, call.feed_id))
    allow(feed_id_of(call.fields().get("target"), "target").slug in _FOLLOWABLE)


def same_user(call: Call, users: Iterable[str]) -> None:
    allow(all(user == call.principal.user_id for user in users))
