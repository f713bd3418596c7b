"""Partial updates of activities."""

from __future__ import annotations

import uuid
from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.activity_fields import NEVER_SET, NEVER_UNSET
from django_stream.protocol.errors import invalid
from django_stream.server.actions import partial_updates
from django_stream.server.actions.partial_updates import PartialUpdate
from django_stream.server.activity_input import key_of, key_of_id, moment_of, text_of
from django_stream.server.reads import serializers
from django_stream.server.requests import Body, Call, batch

_KNOWN = frozenset({"id", "foreign_id", "time", "set", "unset"})


def partial_update(call: Call) -> Body:
    """Change single fields of an activity; a batch of changes is answered with a list."""
    fields = call.fields()
    if "changes" not in fields:
        return serializers.activity(partial_updates.apply(call.application_id, [_change(fields)])[0])
    items = batch(fields["changes"], "changes", limits.CHANGES_PER_REQUEST)
    stored = partial_updates.apply(call.application_id, [_change(item) for item in items])
    return {"activities": [serializers.activity(activity) for activity in stored]}


def _change(item: Any) -> PartialUpdate:
    if not isinstance(item, dict):
        raise invalid("a change must be an object", "changes")
    if unknown := set(item) - _KNOWN:
        raise invalid(f"a change has no field {sorted(unknown)[0]!r}", sorted(unknown)[0])
    set_fields, unset_fields = item.get("set") or {}, item.get("unset") or []
    if not isinstance(set_fields, dict):
        raise invalid("set must be an object", "set")
    if not isinstance(unset_fields, list) or not all(isinstance(path, str) for path in unset_fields):
        raise invalid("unset must be a list of field names", "unset")
    for name, fields, reserved in (("set", set_fields, NEVER_SET), ("unset", unset_fields, NEVER_UNSET)):
        if len(fields) > limits.KEYS_PER_CHANGE:
            raise invalid(f"{name} may name at most {limits.KEYS_PER_CHANGE} fields", name)
        for path in fields:
            if not all(path.split(".")) or path.split(".")[0] in reserved:
                raise invalid(f"{path!r} cannot be {name}", name)
    for path in unset_fields:
        if both := [other for other in set_fields if _collide(path, other)]:
            raise invalid(f"{path!r} is unset and {both[0]!r} is set: they collide", "unset")
    return PartialUpdate(key_of_activity(item), set_fields, unset_fields)


def _collide(path: str, other: str) -> bool:
    """Whether one of the paths is, or holds, the other: what remains would depend on the order."""
    shorter, longer = sorted((path, other), key=len)
    return longer == shorter or longer.startswith(f"{shorter}.")


def key_of_activity(item: dict[str, Any]) -> uuid.UUID:
    """The key of the activity that an item names by `id`, or by `foreign_id` and `time`."""
    pair = item.get("foreign_id") is not None or item.get("time") is not None
    if item.get("id") is not None:
        if pair:
            raise invalid("an activity is named by id, or by foreign_id and time, not by both", "id")
        return key_of_id(item["id"])
    foreign_id = text_of(item, "foreign_id")
    if not foreign_id or not item.get("time"):
        raise invalid("an activity is named by id, or by foreign_id and time", "id")
    return key_of(foreign_id, moment_of(item["time"]))
