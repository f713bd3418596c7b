"""The `to` list of an activity: change it."""

from __future__ import annotations

from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server import feed_groups
from django_stream.server.actions.targets import Retargeting, retarget
from django_stream.server.activity_input import targets_of
from django_stream.server.handlers.activity_changes import key_of_activity
from django_stream.server.reads import serializers
from django_stream.server.requests import Body, Call, batch


def update(call: Call) -> Body:
    """Change the targets of an activity; of a list of changes, the first one is answered."""
    feed_groups.group_of(call.application_id, call.feed_id.slug)
    items = (
        batch(call.body, "changes", limits.CHANGES_PER_REQUEST)
        if isinstance(call.body, list)
        else [call.fields()]
    )
    changes = [_retargeting(call, item) for item in items]
    if not changes:
        raise invalid("at least one change of targets is required")
    first, *_ = retarget(call.application_id, call.feed_id, changes)
    return {
        "activity": serializers.activity(first.activity),
        "added": first.added,
        "removed": first.removed,
    }


def _retargeting(call: Call, item: Any) -> Retargeting:
    if not isinstance(item, dict):
        raise invalid("a change of targets must be an object")
    key = key_of_activity({name: item.get(name) for name in ("id", "foreign_id", "time")})
    new, added, removed = (
        None if item.get(name) is None else targets_of(item[name], call.application_id, name)
        for name in ("new_targets", "added_targets", "removed_targets")
    )
    if new is None and added is None and removed is None:
        raise invalid("new_targets, added_targets or removed_targets is required", "new_targets")
    # Some clients send all three lists, the unused ones empty.
    if new and (added or removed):
        raise invalid("new_targets excludes added_targets and removed_targets", "new_targets")
    if both := set(added or ()) & set(removed or ()):
        raise invalid(f"{sorted(both)[0]} is both added and removed", "removed_targets")
    if new is not None and (new or not (added or removed)):
        return Retargeting(key, new=new)
    return Retargeting(key, added=added or (), removed=removed or ())
