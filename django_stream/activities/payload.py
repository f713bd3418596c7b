"""From an instance to the activity that goes over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from django_stream.activities.owners import feed_id
from django_stream.activities.paths import read_property
from django_stream.activities.representation import ActivityProperties
from django_stream.conf import stream_settings
from django_stream.protocol.activity_ids import ticks_of
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import as_utc, format_activity_time

_REQUIRED = ("actor", "verb", "object", "foreign_id")


class IncompleteActivity(ValueError):
    """A row that should be published lacks its actor, verb, object or time."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One activity and the feed of its author."""

    feed: FeedID
    activity: dict[str, Any]


def payload_of(representation: ActivityProperties) -> Payload | None:
    """The activity that a row means now, or None when it should not be published."""
    row = representation.activity_instance

    def read(name: str) -> Any:
        return read_property(representation, name, row)

    if not read("activity_should_publish"):
        return None
    time = read("activity_time")
    if time is None:
        raise _incomplete(representation, "time")
    ticks_of(as_utc(time))  # refuses a time that no activity can have
    activity: dict[str, Any] = dict(read("extra_activity_data") or {})
    activity |= {
        "actor": read("activity_actor"),
        "verb": read("activity_verb"),
        "object": read("activity_object"),
        "foreign_id": _storable(read("activity_foreign_id")),
        "time": format_activity_time(time),
    }
    for name in _REQUIRED:
        if not activity[name]:
            raise _incomplete(representation, name)
    if target := read("activity_target"):
        activity["target"] = target
    if to := feed_ids_of(read("activity_notify")):
        activity["to"] = to
    slug = read("activity_author_feed") or stream_settings.USER_FEED
    return Payload(feed_id(slug, read("activity_actor_id")), activity)


def feed_ids_of(recipients: Iterable[Any] | None) -> list[str]:
    """Sorted, distinct feed ids of feeds, `slug:user_id` texts and users (their notification feeds)."""
    return sorted({str(_feed_id_of(recipient)) for recipient in recipients or ()})


def _feed_id_of(recipient: Any) -> FeedID:
    if isinstance(recipient, models.Model):
        return feed_id(stream_settings.NOTIFICATION_FEED, recipient)
    return FeedID.parse(getattr(recipient, "id", recipient))


def _storable(foreign_id: object) -> str:
    """The foreign id as text. What databases refuse could not be recorded, and so never be removed again."""
    text = "" if foreign_id is None else str(foreign_id)
    text.encode()  # refuses half a surrogate pair
    if "\0" in text:
        raise ValueError(f"the foreign id {text!r} holds a NUL, which databases refuse")
    return text


def _incomplete(representation: ActivityProperties, name: str) -> IncompleteActivity:
    row = representation.activity_instance
    return IncompleteActivity(
        f"{row._meta.label} {row.pk} has no {name}: declare it in class Activity, "
        f"override activity_{name}, or let should_publish keep such rows out"
    )
