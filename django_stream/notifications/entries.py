"""What tells notifications apart: groups by their names, and what happened by actor, verb and object."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django_stream.protocol.wire import members

Entry = Mapping[str, Any]

EVERYTHING = "*"
"""The key of the dismissal of all notifications."""


def key_of(entry: Entry) -> str:
    """A group by its name, since its id changes with each activity; in a flat feed an activity by its id."""
    return _digest("group", entry["group"]) if "group" in entry else _digest("activity", entry["id"])


def key_of_deed(activity: Entry) -> str:
    """Who did what to which object: the same when it is done again."""
    return _digest(_name_of(activity["actor"]), str(activity["verb"]), _name_of(activity["object"]))


def updated_at(entry: Entry) -> datetime:
    """When something joined a group for the last time."""
    moment: datetime = entry["updated_at"] if "updated_at" in entry else entry["time"]
    return moment


def newest(entry: Entry) -> datetime:
    """The time of a group's newest activity."""
    times: list[datetime] = [one["time"] for one in members(entry)]
    return max(times)


def _digest(*parts: str) -> str:
    # Lengths, so that no two lists of texts are alike when they are joined.
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def _name_of(value: Any) -> str:
    """A reference, or the id of the object that the API put in its place."""
    return str(value.get("id", value)) if isinstance(value, Mapping) else str(value)
