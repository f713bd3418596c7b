"""Rows that are events: how their activities are added, updated, retargeted, moved and removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models

from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.paths import related_model
from django_stream.activities.payload import payload_of
from django_stream.activities.publishers.base import RowPublisher
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.publishers.sending import Sender
from django_stream.activities.representation import DEFAULT_ACTOR, ActivityProperties, sources_of
from django_stream.client import StreamClient
from django_stream.protocol import limits
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import parse_time
from django_stream.publishing.publisher import Change, Desired, Record, publishers, publishers_of

_IDENTITY = ("feed", "foreign_id", "time")


class ActivityPublisher(RowPublisher):
    """Publishes rows as activities, described by their model or by a call of `register`."""

    def __init__(
        self,
        model: type[models.Model],
        declaration: ActivityDeclaration,
        representation: Callable[[Any], ActivityProperties],
    ) -> None:
        super().__init__(model, sources_of(model, declaration), declaration.watch)
        self.representation = representation
        self.declaration = declaration

    @property
    def declared_feed(self) -> str | None:
        replaced = getattr(self.model, "activity_author_feed", None)
        return replaced if isinstance(replaced, str) else self.declaration.feed

    def shown_models(self) -> Iterator[type[models.Model]]:
        yield self.model
        declared = self.declaration
        for source in (declared.actor or DEFAULT_ACTOR, declared.object, declared.target):
            if source and (related := related_model(self.model, source)):
                yield related

    def recipient_relations(self) -> Iterator[models.ManyToManyField[Any, Any]]:
        for field in self.model._meta.many_to_many:
            if field.name == self.declaration.to:
                yield field

    def desired_by(self, row: Any) -> Desired | None:
        payload = payload_of(self.representation(row))
        if payload is None:
            return None
        activity = payload.activity
        record = {"feed": str(payload.feed), "foreign_id": activity["foreign_id"], "time": activity["time"]}
        return Desired([record | {"to": activity.get("to", [])}], activity)

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        sender = _ActivitySender(client)
        sender.add([change for change in changes if change.desired and not _is_update(change)])
        sender.update([change for change in changes if _is_update(change)])
        sender.retarget([change for change in changes if _is_retargeted(change)])
        # Last, so that an activity that moves is always in one of its feeds.
        sender.remove(changes)
        return sender.failures

    def dependents(self, changes: Collection[Change], using: str) -> Iterator[tuple[str, Iterable[str]]]:
        """Reactions are there only while the activity is that they react to, and move with it."""
        for one in publishers():
            if isinstance(one, ReactionPublisher) and one.reacts_to(self.model):
                moved = self.pks_of(change.key for change in changes if not _is_update(change))
                yield one.label, one.keys_reacting_to(moved, using)


def representation_of(row: models.Model) -> ActivityProperties | None:
    """The properties of a row as an activity; None when its model is not tracked as one."""
    for publisher in publishers_of(type(row)):
        if isinstance(publisher, ActivityPublisher) and isinstance(row, publisher.model):
            return publisher.representation(row)
    return None


def _identity(record: Record) -> tuple[Any, ...]:
    return tuple(record[name] for name in _IDENTITY)


def _is_update(change: Change) -> bool:
    """The activity is certainly there under the same identity: its content is all that changes."""
    return bool(
        change.confirmed
        and change.desired
        and len(change.before) == 1
        and _identity(change.before[0]) == _identity(change.desired.records[0])
    )


def _is_retargeted(change: Change) -> bool:
    """The activity may have other targets; a move between feeds leaves them as they are."""
    if change.desired is None:
        return False
    now = change.desired.records[0]
    same = ("foreign_id", "time")
    return any(
        all(record[name] == now[name] for name in same) and record["to"] != now["to"]
        for record in change.before
    )


class _ActivitySender(Sender):
    """Sends the changes of activities, step by step."""

    def __init__(self, client: StreamClient) -> None:
        super().__init__()
        self.client = client

    def add(self, changes: list[Change]) -> None:
        by_feed: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            by_feed[_record(change)["feed"]].append(change)
        for feed, group in by_feed.items():
            self.batch(group, limits.ACTIVITIES_PER_REQUEST, partial(self._add_to, FeedID.parse(feed)))

    def update(self, changes: list[Change]) -> None:
        self.batch(
            changes,
            limits.ACTIVITIES_PER_REQUEST,
            lambda part: self.client.update_activities([_content(change, "to") for change in part]),
        )

    def _add_to(self, feed: FeedID, changes: Sequence[Change]) -> None:
        self.client.feed(feed.slug, feed.user_id).add_activities([_content(change) for change in changes])

    def retarget(self, changes: list[Change]) -> None:
        for change in changes:
            self.one(change, partial(self._retarget_record, _record(change)))

    def remove(self, changes: list[Change]) -> None:
        for change in changes:
            kept = [_identity(record) for record in change.desired.records] if change.desired else []
            for record in change.before:
                if _identity(record) not in kept and change.key not in self.failures:
                    self.one(change, partial(self._remove_record, record))

    def _retarget_record(self, record: Record) -> None:
        feed = FeedID.parse(record["feed"])
        self.client.feed(feed.slug, feed.user_id).update_activity_to_targets(
            record["foreign_id"], record["time"], new_targets=record["to"]
        )

    def _remove_record(self, record: Record) -> None:
        feed = FeedID.parse(record["feed"])
        self.client.feed(feed.slug, feed.user_id).remove_activity(str(_activity_id(record)))


def _record(change: Change) -> Record:
    assert change.desired is not None
    return change.desired.records[0]


def _content(change: Change, *without: str) -> dict[str, Any]:
    assert change.desired is not None
    return {name: value for name, value in change.desired.content.items() if name not in without}


def _activity_id(record: Record) -> UUID:
    return activity_id(parse_time(record["time"]), record["foreign_id"])
