"""Known time fields of answers become aware datetimes; every other text stays text.

One function per kind of object, called for the places where the API puts such objects.
Custom fields are never looked at. Objects are changed in place: an answer belongs to its caller.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django_stream.protocol.wire import is_group

Body = dict[str, Any]
Decoder = Callable[[Body], None]

_REACTION_MAPS = ("latest_reactions", "own_reactions", "first_reactions")
_CHILD_MAPS = ("latest_children", "own_children")
# Text on the wire; an object here is what enrichment put in the place of a reference.
_REFERENCES = ("actor", "object", "target")


def _read(owner: Body, name: str) -> None:
    text = owner.get(name)
    if type(text) is str:
        try:
            moment = datetime.fromisoformat(text)
            owner[name] = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        # Anybody may write what looks like the time of a reaction; at both ends of time it is none in UTC.
        except (ValueError, OverflowError):
            return


def stamped(item: Any) -> None:
    """Users, collection entries, follows, audit log entries."""
    if type(item) is dict:
        _read(item, "created_at")
        _read(item, "updated_at")
        if "deleted_at" in item:
            _read(item, "deleted_at")


def activity(item: Any) -> None:
    if type(item) is not dict:
        return
    _read(item, "time")
    for name in _REFERENCES:
        if type(item.get(name)) is dict:
            _enriched(item[name])
    if type(told := item.get("reaction")) is dict and item.get("foreign_id") == f"reaction:{told.get('id')}":
        reaction(told)  # the server made this activity of it; any other field of this name is a custom one
    for name in _REACTION_MAPS:
        if name in item:
            _by_kind(item[name])


def _enriched(item: Body) -> None:
    if "verb" in item:
        activity(item)
    elif "kind" in item:
        reaction(item)
    else:
        stamped(item)


def reaction(item: Any) -> None:
    if type(item) is not dict:
        return
    stamped(item)
    stamped(item.get("user"))
    for name in _CHILD_MAPS:
        if name in item:
            _by_kind(item[name])


def _by_kind(kinds: Any) -> None:
    if type(kinds) is dict:
        for reactions in kinds.values():
            _each(reactions, reaction)


def _each(items: Any, decode: Callable[[Any], None]) -> None:
    if type(items) is list:
        for item in items:
            decode(item)


def _feed_entry(item: Any) -> None:
    if type(item) is dict and is_group(item):
        stamped(item)
        _each(item["activities"], activity)
    else:
        activity(item)


def feed_page(body: Body) -> None:
    _each(body.get("results"), _feed_entry)


def activity_results(body: Body) -> None:
    _each(body.get("results"), activity)


def activities(body: Body) -> None:
    """One activity at the top, or several under `activities`."""
    if "id" in body:
        activity(body)
    else:
        _each(body.get("activities"), activity)


def activity_targets(body: Body) -> None:
    activity(body.get("activity"))


def stamped_results(body: Body) -> None:
    _each(body.get("results"), stamped)


def reaction_page(body: Body) -> None:
    _each(body.get("results"), reaction)
    activity(body.get("activity"))


def reactions(body: Body) -> None:
    _each(body.get("reactions"), reaction)


def users(body: Body) -> None:
    _each(body.get("users"), stamped)
    _each(body.get("created_users"), stamped)


def selected_entries(body: Body) -> None:
    answer = body.get("response")
    if type(answer) is dict:
        _each(answer.get("data"), stamped)


def audit_logs(body: Body) -> None:
    _each(body.get("audit_logs"), stamped)
