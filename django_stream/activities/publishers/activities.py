"""Rows that are events: how their activities are added, updated, retargeted, moved and removed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models

from django_stream.activities.columns import columns_of
from django_stream.activities.compiled import payloads_by
from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.model_references import key_texts_of
from django_stream.activities.paths import FixedFeeds, first_field, reachable_models, related_model
from django_stream.activities.payload import Payload, payload_of
from django_stream.activities.publishers.base import RowPublisher, with_related
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.publishers.targets import TargetSender
from django_stream.activities.representation import (
    DEFAULT_ACTOR,
    ActivityProperties,
    RegisteredActivity,
    overrides,
    represents_itself,
    sources_of,
)
from django_stream.conf import stream_settings
from django_stream.database.failures import or_else
from django_stream.database.instances import values_by_key
from django_stream.protocol import limits
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import parse_time
from django_stream.publishing.publisher import Change, Dependents, Desired, Record, publishers, publishers_of

if TYPE_CHECKING:
    from django_stream.client import StreamClient

logger = logging.getLogger("django_stream.feeds")

_IDENTITY = ("feed", "foreign_id", "time")
# Properties whose code may yield any row; those that the model refers to are the likely ones.
_ROWS = (
    "activity_actor_attr",
    "activity_object_attr",
    "activity_actor",
    "activity_object",
    "activity_target",
)
# What tells whether a row should be published.
_DECIDING = ("activity_should_publish", "activity_declaration", "_declared")


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
    def fixed_feeds(self) -> tuple[str, ...]:
        to = self.declaration.to
        return to if isinstance(to, FixedFeeds) else ()

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
        if represents_itself(self.model) and overrides(self.model, *_ROWS):
            yield from reachable_models(self.model)

    def recipient_relations(self) -> Iterator[models.ManyToManyField[Any, Any]]:
        for field in self.model._meta.many_to_many:
            if field.name == self.declaration.to:
                yield field

    def desired_by(self, row: Any) -> Desired | None:
        return _desired(payload_of(self.representation(row)))

    def desired(self, keys: Collection[str], using: str) -> dict[str, Desired | Exception]:
        by_columns = self._by_columns(keys, using)
        if by_columns is None:
            return super().desired(keys, using)
        found, unusual = by_columns
        return {**found, **(super().desired(unusual, using) if unusual else {})}

    def desired_by_columns(self, keys: Collection[str], using: str) -> dict[str, Desired] | None:
        by_columns = self._by_columns(keys, using)
        return by_columns[0] if by_columns and not by_columns[1] else None

    def _by_columns(self, keys: Collection[str], using: str) -> tuple[dict[str, Desired], list[str]] | None:
        """The desired state by the columns alone, and the keys of rows that are to be asked themselves."""
        columns = columns_of(self.model, self.representation, using)
        if columns is None:
            return None
        names, tell = columns
        found: dict[str, Desired] = {}
        unusual, text = [], key_texts_of(self.model)
        if any(self._child_links()):
            rows: Iterable[Sequence[Any]] = self._matching(keys, using).values_list(*names)
        else:
            rows = values_by_key(self.model, names, using, self.pks_of(keys))
        for row in rows:
            key = text(row[0])
            try:
                desired = _desired(tell(row))
            except Exception:  # the row itself is asked
                unusual.append(key)
            else:
                if desired is not None:
                    found[key] = desired
        return found, unusual

    def reading(self) -> Callable[[Any], Desired | None]:
        payload = payloads_by(self.representation)
        return lambda row: _desired(payload(row))

    def order(self) -> str | None:
        """The column of the actor, whose feed it is: a request holds activities of one feed."""
        if represents_itself(self.model) and overrides(
            self.model, "activity_actor_id", "activity_actor_attr"
        ):
            return None
        name = first_field(self.model, self.declaration.actor or DEFAULT_ACTOR)
        field: Any = self.model._meta.get_field(name) if name else None
        return field.attname if isinstance(field, models.ForeignKey) and _has_index(field) else None

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        sender = _ActivitySender(client)
        sender.add([change for change in changes if change.desired and not _is_update(change)])
        sender.update([change for change in changes if _is_update(change)])
        sender.retarget([change for change in changes if _is_retargeted(change)])
        # Last, so that an activity that moves is always in one of its feeds.
        sender.remove(changes)
        sender.put_back(changes)
        sender.add_further(changes)
        sender.report_targets(changes, _targets)
        return sender.failures

    def dependents(self, changes: Collection[Change], using: str) -> Iterator[Dependents]:
        """Reactions are there only while the activity is that they react to, and move with it."""
        for one in publishers():
            if isinstance(one, ReactionPublisher) and one.reacts_to(self.model):
                moved = self.pks_of(change.key for change in changes if not _is_update(change))
                yield Dependents(one.label, one.keys_reacting_to(self.model, moved, using))


def _desired(payload: Payload | None) -> Desired | None:
    if payload is None:
        return None
    activity = payload.activity
    identity = {"foreign_id": activity["foreign_id"], "time": activity["time"]}
    targets, further = _split(activity.get("to", []))
    records: list[Record] = [{"feed": str(payload.feed), **identity, "to": targets}]
    records += [{"feed": name, **identity, "to": [], "further": True} for name in further]
    return Desired(records, activity | {"to": targets} if targets else activity, payload.problem)


def _has_index(field: Any) -> bool:
    return bool(field.db_index or field.unique)


def representation_of(row: models.Model) -> ActivityProperties | None:
    """The properties of a row as an activity; None when its model is not tracked as one."""
    for publisher in publishers_of(type(row)):
        if isinstance(publisher, ActivityPublisher) and isinstance(row, publisher.model):
            return publisher.representation(row)
    return None


def decides(row: models.Model) -> bool:
    """Whether rows of this one's class say one by one if they should be published; or else, all should."""
    said = representation_of(row)
    if said is None:
        return False
    replaced = not isinstance(said, RegisteredActivity) and overrides(type(row), *_DECIDING)
    return replaced or said.activity_declaration.should_publish is not None


def is_published(row: models.Model) -> bool:
    """Whether a row says that it should be published, or is no activity.

    A row whose own code fails is not: nobody knows whether it may be shown.
    """
    representation = representation_of(row)
    return representation is None or or_else(
        False,
        lambda: bool(representation.activity_should_publish),
        logger,
        "nobody can tell whether %s:%s may be shown",
        row._meta.label,
        row.pk,
    )


def with_condition(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows with what tells whether they should be published, so that a page asks no query of each."""
    conditions = [
        one.declaration.should_publish
        for one in publishers_of(rows.model)
        if isinstance(one, ActivityPublisher) and issubclass(rows.model, one.model)
    ]
    return with_related(rows, [condition for condition in conditions if condition], rows.db)


def _identity(record: Record) -> tuple[Any, ...]:
    return tuple(record[name] for name in _IDENTITY)


def _is_update(change: Change) -> bool:
    """The activity is certainly there under the same identity: its content is all that changes."""
    return bool(
        change.confirmed
        and change.desired
        and change.before
        and set(map(_identity, change.before)) == set(map(_identity, change.desired.records))
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
        if "further" not in record
    )


def _split(targets: list[str]) -> tuple[list[str], list[str]]:
    """The targets that an activity may have, and the feeds that it is added to one by one beyond them.

    Those get no further than themselves, so they are notification feeds, which have no followers.
    """
    if len(targets) <= limits.TARGETS_PER_ACTIVITY:
        return targets, []
    alone = f"{stream_settings.NOTIFICATION_FEED}:"
    ordered = sorted(targets, key=lambda name: (name.startswith(alone), name))
    return sorted(ordered[: limits.TARGETS_PER_ACTIVITY]), ordered[limits.TARGETS_PER_ACTIVITY :]


def _lost_targets(change: Change) -> set[str]:
    """Targets that the activity was taken off, since it had been posted there before it moved."""
    if change.desired is None:
        return set()
    now = change.desired.records[0]
    same = (now["foreign_id"], now["time"])
    left = {one["feed"] for one in change.before if (one["foreign_id"], one["time"]) == same}
    return (left - {now["feed"]}) & set(now["to"])


class _ActivitySender(TargetSender):
    """Sends the changes of activities, step by step."""

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
        to_feed = self.client.feed(feed.slug, feed.user_id)

        def send() -> None:
            activities = [_content(change) for change in changes]
            for activity in activities:
                if "to" in activity:
                    activity["to"] = self.served(activity["to"])
            to_feed.add_activities(activities)

        self.sparing_targets([name for change in changes for name in _record(change)["to"]], send)

    def retarget(self, changes: list[Change]) -> None:
        for change in changes:
            self.one(change, partial(self._retarget_record, _record(change)))

    def remove(self, changes: list[Change]) -> None:
        for change in changes:
            kept = [_identity(record) for record in change.desired.records] if change.desired else []
            for record in change.before:
                if _identity(record) not in kept and change.key not in self.failures:
                    self.one(change, partial(self._remove_record, record))

    def put_back(self, changes: list[Change]) -> None:
        for change in changes:
            if lost := _lost_targets(change):
                record = _record(change)
                # An API may do nothing for a target that it has in the list already.
                rest = [name for name in record["to"] if name not in lost]
                self.one(change, partial(self._retarget_record, record | {"to": rest}))
                self.one(change, partial(self._retarget_record, record))

    def add_further(self, changes: list[Change]) -> None:
        """Last of all, since a change of targets takes out what was one, and may now be a further feed."""
        for change in changes:
            further = _further(change)
            if further and (not _is_update(change) or _is_retargeted(change)):
                self.one(change, partial(self._add_to_further, change, further))

    def _add_to_further(self, change: Change, feeds: list[str]) -> None:
        def send() -> None:
            self.client.add_to_many(_content(change, "to"), self.served(feeds))

        self.sparing_targets(feeds, send)

    def _retarget_record(self, record: Record) -> None:
        feed = FeedID.parse(record["feed"])
        to_feed = self.client.feed(feed.slug, feed.user_id)
        self.sparing_targets(
            record["to"],
            lambda: to_feed.update_activity_to_targets(
                record["foreign_id"], record["time"], new_targets=self.served(record["to"])
            ),
        )

    def _remove_record(self, record: Record) -> None:
        feed = FeedID.parse(record["feed"])
        self.client.feed(feed.slug, feed.user_id).remove_activity(str(_activity_id(record)))


def _targets(desired: Desired) -> list[str]:
    first, *further = desired.records
    return [*first["to"], *(record["feed"] for record in further)]


def _further(change: Change) -> list[str]:
    return [record["feed"] for record in change.desired.records[1:]] if change.desired else []


def _record(change: Change) -> Record:
    assert change.desired is not None
    return change.desired.records[0]


def _content(change: Change, *without: str) -> dict[str, Any]:
    assert change.desired is not None
    return {name: value for name, value in change.desired.content.items() if name not in without}


def _activity_id(record: Record) -> UUID:
    return activity_id(parse_time(record["time"]), record["foreign_id"])
