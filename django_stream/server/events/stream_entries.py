"""Events as entries of the log that App Streams read: each with its object as the API would tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from django_stream.protocol import activity_ids
from django_stream.protocol.feed_ids import slug_of
from django_stream.server.events.event import Event, Fields
from django_stream.server.feed_groups import groups_of
from django_stream.server.models import Activity
from django_stream.server.reads import serializers
from django_stream.server.reads.serializers import rfc3339

Data = dict[str, Any]

_OPS = {
    "create": "create",
    "restore": "create",
    "follow": "create",
    "update": "update",
    "upsert": "update",
    "mark": "update",
    "rotate": "update",
    "delete": "delete",
    "unfollow": "delete",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event tells about one object."""

    kind: str
    object_id: str
    op: str
    data: Data
    is_deleted: bool = False


def entries(events: Iterable[Event], wanted: frozenset[str]) -> Iterator[Entry]:
    """The entries of events of one application, of these kinds only."""
    listed = list(events)
    for event in listed:
        # Reports and decisions of moderators change no object.
        if event.kind in wanted and event.action in _OPS and (entry := _of(event)):
            yield entry
    if wanted & {"feed", "notification"}:
        yield from _of_feeds(listed, wanted)


def _of(event: Event) -> Entry | None:
    op = _OPS[event.action]
    if event.kind == "activity" and op == "delete" and event.after is not None:
        # Taken off a feed, and still there: its `to` may be another one.
        if event.before is None or event.before["to"] == event.after["to"]:
            return None
        op = "update"
    tell = _TELL.get(event.kind)
    if tell is None:
        return None
    object_id = f"{event.object_id} {event.details['target']}" if event.kind == "follow" else event.object_id
    return Entry(event.kind, object_id, op, tell(event), is_deleted=op == "delete")


def _state(event: Event) -> Fields | None:
    return event.before if event.after is None else event.after


def _activity(event: Event) -> Data:
    fields = _state(event)
    return {"id": event.object_id} if fields is None else _told(fields)


def _told(fields: Fields) -> Data:
    key = fields["key"]
    row = SimpleNamespace(**fields, activity_id=activity_ids.from_sort_key(key))
    return cast("Data", serializers.activity(cast("Activity", row)))


def _reaction(event: Event) -> Data:
    fields = _state(event)
    if fields is None:
        return {"id": event.object_id}
    activity, user = str(fields["activity"]), fields["user_id"]
    return {
        "id": event.object_id,
        "kind": fields["kind"],
        "activity_id": activity,
        "activity": {"id": activity},
        "user_id": user,
        "user": {"id": user},
        "data": fields["data"],
        "parent": fields["parent_reaction_id"],
        "target_feeds": fields["target_feeds"],
        **_times(fields),
    }


def _follow(event: Event) -> Data:
    source, target = event.object_id, event.details["target"]
    pair = {"source": source, "target": target, "feed_id": source, "target_id": target}
    if event.after is None:
        return pair
    moment = rfc3339(event.after["created_at"])
    return {**pair, "created_at": moment, "updated_at": moment}


def _user(event: Event) -> Data:
    fields = _state(event)
    return {"id": event.object_id} | ({} if fields is None else {"data": fields["data"], **_times(fields)})


def _collection(event: Event) -> Data:
    collection, _, entry_id = event.object_id.partition(":")
    names = {"id": entry_id, "collection": collection, "foreign_id": event.object_id}
    fields = _state(event)
    return names | ({} if fields is None else {"data": fields["data"], **_times(fields)})


def _file(event: Event) -> Data:
    fields = _state(event) or {}
    known = {name: fields[name] for name in ("content_type", "size") if name in fields}
    return {"id": event.object_id, **event.details, **known}


def _token(event: Event) -> Data:
    return {"id": event.object_id, "action": event.action}


def _marks(event: Event) -> Data:
    return {"feed": event.object_id, "group": slug_of(event.object_id), **event.details}


_TELL: Mapping[str, Callable[[Event], Data]] = {
    "activity": _activity,
    "reaction": _reaction,
    "follow": _follow,
    "user": _user,
    "collection": _collection,
    "file": _file,
    "token": _token,
    "notification": _marks,
}


def _times(fields: Fields) -> Data:
    return {name: rfc3339(fields[name]) for name in ("created_at", "updated_at")}


class _FeedChange:
    """What came to a feed and what left it in one transaction."""

    def __init__(self) -> None:
        self.new: dict[str, Data] = {}
        self.deleted: dict[str, str] = {}


def _of_feeds(events: Iterable[Event], wanted: frozenset[str]) -> Iterator[Entry]:
    """One entry for each feed that activities were placed on or taken off, not for those that follow it."""
    changes: dict[str, _FeedChange] = {}
    application_id = 0
    for event in events:
        if event.kind == "activity":
            application_id = event.application_id
            _note(event, changes)
    for feed, change in changes.items():
        slug = slug_of(feed)
        data = {
            "feed": feed,
            "group": slug,
            "new": list(change.new.values()),
            "deleted": list(change.deleted),
            "deleted_foreign_ids": [one for one in change.deleted.values() if one],
        }
        op = "create" if change.new else "delete"
        if "feed" in wanted:
            yield Entry("feed", feed, op, data)
        group = groups_of(application_id).get(slug)
        if "notification" in wanted and group is not None and group.kind == "notification":
            yield Entry("notification", feed, "update", {**data, "new": list(change.new)})


def _note(event: Event, changes: dict[str, _FeedChange]) -> None:
    fields = _state(event)
    before = set(event.before["to"]) if event.before else set()
    after = set(event.after["to"]) if event.after else set()
    came, left = (after - before) | set(event.placed), before - after
    if event.action == "delete":
        came, left = set(), left | set(event.feeds)
    for feed in sorted(came):
        if fields is not None:
            changes.setdefault(feed, _FeedChange()).new[event.object_id] = _told(fields)
    for feed in sorted(left):
        foreign_id = fields["foreign_id"] if fields else ""
        changes.setdefault(feed, _FeedChange()).deleted[event.object_id] = foreign_id
