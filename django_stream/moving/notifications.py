"""django-notifications-hq: one activity for each notification, to its recipient alone, read or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

from django_stream.activities.model_references import reference_of
from django_stream.activities.owners import feed_id
from django_stream.activities.representation import aware
from django_stream.client import Feed
from django_stream.conf import stream_settings
from django_stream.moving.marking import mark, whole
from django_stream.moving.sending import Destination, Entry, Outcome
from django_stream.moving.tables import Pointer, in_steps, json_of, read_table, rows_at, users_at
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.wire import members

_POINTERS = ("actor", "action_object", "target")
_FOREIGN_ID = "notifications.Notification:"


def groups() -> list[str]:
    """The feed groups that are written to."""
    return [stream_settings.NOTIFICATION_FEED]


def table() -> str:
    """The table of the package's model, or of the one that the project has put in its place."""
    label = getattr(settings, "NOTIFICATIONS_NOTIFICATION_MODEL", "")
    try:
        own: str = apps.get_model(label)._meta.db_table
    except (LookupError, ValueError):
        return "notifications_notification"
    return own


def run(to: Destination, using: str, db_table: str) -> None:
    """All notifications, recipient by recipient, oldest first; then what was read is marked so."""
    rows = _table(db_table, using).objects.using(using)
    to.outcome.left_out["deleted"] += rows.filter(deleted=True).count()
    rows = rows.filter(deleted=False)
    recipients: dict[FeedID, Any] = {}
    for some in in_steps(rows, "timestamp", "id"):
        users = users_at({one.recipient for one in some}, using)
        feeds = {one.recipient: _feed(users.get(str(one.recipient))) for one in some}
        recipients |= {feed: key for key, feed in feeds.items() if feed}
        found = rows_at((_pointer(row, name) for row in some for name in _POINTERS), using)
        to.add(to.each(some, partial(_entry, feeds=feeds, found=found, outcome=to.outcome)))
    if not to.dry_run:
        for feed, key in recipients.items():
            _mark(to.client.feed(feed.slug, feed.user_id), rows.filter(recipient=key, unread=False))


def _table(db_table: str, using: str) -> Any:
    pointers: dict[str, models.Field[Any, Any]] = {}
    for name in _POINTERS:
        pointers[f"{name}_content_type_id"] = models.IntegerField(null=True)
        pointers[f"{name}_object_id"] = models.TextField(null=True)
    return read_table(
        db_table,
        using,
        id=models.BigIntegerField(primary_key=True),
        recipient=models.TextField(db_column="recipient_id"),
        level=models.TextField(),
        unread=models.BooleanField(),
        deleted=models.BooleanField(),
        verb=models.TextField(),
        description=models.TextField(null=True),
        timestamp=models.DateTimeField(),
        data=models.TextField(null=True),
        **pointers,
    )


def _feed(user: models.Model | None) -> FeedID | None:
    return feed_id(stream_settings.NOTIFICATION_FEED, user) if user else None


def _entry(
    row: Any, feeds: dict[Any, FeedID | None], found: dict[Pointer, models.Model], outcome: Outcome
) -> Entry | None:
    feed, actor = feeds[row.recipient], found.get(_pointer(row, "actor"))
    if feed is None or actor is None:
        outcome.left_out["the recipient or the actor is gone"] += 1
        return None
    return Entry(feed, _activity(row, actor, found, outcome))


def _pointer(row: Any, name: str) -> Pointer:
    return getattr(row, f"{name}_content_type_id"), getattr(row, f"{name}_object_id")


def _activity(
    row: Any, actor: models.Model, found: dict[Pointer, models.Model], outcome: Outcome
) -> dict[str, Any]:
    object_, target = (found.get(_pointer(row, name)) for name in ("action_object", "target"))
    for name, one in (("action object", object_), ("target", target)):
        # Some models of that package's time have empty texts in place of none.
        if one is None and _pointer(row, name.replace(" ", "_"))[1]:
            outcome.notes[f"sent without its {name}, which is gone"] += 1
    for one in (actor, object_, target):
        if one is not None:
            outcome.refer_to(one)
    foreign_id = f"{_FOREIGN_ID}{row.id}"
    activity = {
        "actor": reference_of(actor),
        "verb": row.verb,
        "object": reference_of(done_to) if (done_to := object_ or target) else foreign_id,
        "foreign_id": foreign_id,
        "time": aware(row.timestamp),
        "level": row.level,
    }
    further = {
        "target": reference_of(target) if target else None,
        "description": row.description,
        "data": json_of(getattr(row, "data", None)),
    }
    return activity | {name: value for name, value in further.items() if value}


def _mark(feed: Feed, read: models.QuerySet[Any]) -> None:
    """Mark the groups in which everything was read; a large one, not all of which is listed, stays unread."""

    def was_read(groups: Sequence[dict[str, Any]]) -> list[bool]:
        ours = _read_among(groups, read)
        return [whole(group, ours) for group in groups]

    mark(feed, seen=was_read, read=was_read)


def _read_among(groups: Iterable[dict[str, Any]], read: models.QuerySet[Any]) -> set[str]:
    ids = (one["foreign_id"] for group in groups for one in members(group))
    ours = [name.removeprefix(_FOREIGN_ID) for name in ids if name.startswith(_FOREIGN_ID)]
    keys = [key for key in ours if key.isdecimal()]
    return {f"{_FOREIGN_ID}{pk}" for pk in read.filter(pk__in=keys).values_list("pk", flat=True)}
