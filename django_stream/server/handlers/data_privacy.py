"""Data privacy: what is stored of a user, and its erasure."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.activity_ids import from_sort_key
from django_stream.protocol.errors import invalid
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.actions import privacy
from django_stream.server.actions.reactions import delete_many
from django_stream.server.activity_input import check_configured, feed_id_of, key_of_id, key_or_none
from django_stream.server.reads import activities, reactions
from django_stream.server.requests import Body, Call, batch

_FIRST = "activity:"


def export_ids(call: Call) -> Body:
    """List the ids of what a user did, page by page: activities, then reactions."""
    user_id, most = call.captures["user"], limits.EXPORT_PAGE
    kind, _, place = (call.parameters.text("next") or _FIRST).partition(":")
    if f"{kind}:{place}" != _FIRST and not _is_place(kind, place):
        raise invalid("next must be that of the page before", "next")
    keys: list[uuid.UUID] = []
    found: list[tuple[int, str]] = []
    following = ""
    if kind == "activity":
        before = key_of_id(place) if place else None
        keys = activities.keys_of_actor(call.application_id, user_id, before, most)
    if len(keys) == most:
        following = f"activity:{from_sort_key(keys[-1])}"
    else:
        after = int(place) if kind == "reaction" else 0
        found = reactions.of_user(call.application_id, user_id, after, most - len(keys))
        if len(keys) + len(found) == most:
            following = f"reaction:{found[-1][0]}"
    export: dict[str, Any] = {
        "user_id": user_id,
        "activity_count": len(keys),
        "reaction_count": len(found),
        "activity_ids": [str(from_sort_key(key)) for key in keys],
        "reaction_ids": [reaction_id for _, reaction_id in found],
    }
    return {"export": export, "next": following}


def _is_place(kind: str, place: str) -> bool:
    if kind == "activity":
        return key_or_none(place) is not None
    return kind == "reaction" and re.fullmatch(r"[0-9]{1,18}", place, re.ASCII) is not None


def delete_activities(call: Call) -> Body:
    """Erase activities: they are emptied, and taken off the feeds that are named."""
    items = batch(call.fields().get("activities"), "activities", limits.ACTIVITIES_PER_REQUEST)
    # One that is named twice leaves the feeds of both.
    wanted: dict[uuid.UUID, dict[FeedID, None]] = {}
    for item in items:
        key = key_of_id(_checked_item(item).get("id"))
        wanted.setdefault(key, {}).update(dict.fromkeys(_feeds(call, item)))
    privacy.erase(call.application_id, wanted)
    return {}


def delete_reactions(call: Call) -> Body:
    """Delete reactions by id."""
    fields = call.fields()
    ids = batch(fields.get("ids"), "ids", limits.ACTIVITIES_PER_REQUEST)
    soft = fields.get("soft") or False
    if not isinstance(soft, bool) or not all(isinstance(reaction_id, str) for reaction_id in ids):
        raise invalid("ids must be a list of reaction ids, and soft true or false", "ids")
    delete_many(call.application_id, ids, soft=soft)
    return {}


def _checked_item(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise invalid("each of the activities must be an object with an id", "activities")
    return item


def _feeds(call: Call, item: dict[str, Any]) -> list[FeedID]:
    names = item.get("remove_from_feeds") or []
    if not isinstance(names, list):
        raise invalid("remove_from_feeds must be a list of feed ids", "remove_from_feeds")
    batch(names, "remove_from_feeds", limits.TARGETS_PER_ACTIVITY)
    feeds = [feed_id_of(name, "remove_from_feeds") for name in names]
    check_configured(feeds, call.application_id)
    return feeds
