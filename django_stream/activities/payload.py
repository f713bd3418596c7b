"""From an instance to the activity that goes over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from django_stream.activities.context_feeds import context_feeds
from django_stream.activities.owners import OwnerID, feed_id, owner_id
from django_stream.activities.paths import add_origin, read_property
from django_stream.activities.policies import manager_with_own
from django_stream.activities.representation import ActivityProperties, aware, what_is_said
from django_stream.activities.stream_django import Activity
from django_stream.conf import stream_settings
from django_stream.protocol.activity_ids import ticks_of
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import as_utc, format_activity_time
from django_stream.publishing.publisher import Unpublishable

_REQUIRED = ("time", "actor", "verb", "object", "foreign_id")


class IncompleteActivity(Unpublishable):
    """A row that should be published lacks its actor, verb, object or time."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One activity and the feed of its author."""

    feed: FeedID
    activity: dict[str, Any]
    problem: str = ""
    """What is wrong with recipients that were left out."""


def payload_of(representation: ActivityProperties) -> Payload | None:
    """The activity that a row means now, or None when it should not be published."""
    row = representation.activity_instance

    def read(name: str) -> Any:
        return read_property(representation, name, row)

    if not read("activity_should_publish"):
        return None
    activity = _said_by(representation)
    recipients = _without_actor(representation, activity.pop("to", None))
    if manager := manager_with_own("get_recipients"):
        recipients = manager.get_recipients(representation)
    for name in _REQUIRED:
        if not activity.get(name):
            raise _incomplete(representation, name)
    time = as_utc(aware(activity["time"]))
    ticks_of(time)  # refuses a time that no activity can have
    activity |= {"foreign_id": _storable(activity["foreign_id"]), "time": format_activity_time(time)}
    actor = read("activity_actor_id")
    to, problems = _sorted_out(recipients)
    if read("activity_to_only"):
        if not to:
            if problems:
                raise ValueError(problems[0])
            return None
        # Each activity is in one feed first, and nobody but the recipients may read this one.
        feed, to = FeedID.parse(to[0]), to[1:]
    else:
        feed = _first_feed(representation, actor)
        to = sorted({*to, *map(str, context_feeds(activity))})
    if to:
        activity["to"] = to
    return Payload(feed, activity, "; ".join(problems))


def _first_feed(representation: ActivityProperties, actor: Any) -> FeedID:
    if manager := manager_with_own("get_actor_feed", "get_feed", "user_feed"):
        feed = manager.get_actor_feed(representation)
        return feed_id(feed, actor) if isinstance(feed, str) else FeedID.parse(feed.id)
    slug = read_property(representation, "activity_author_feed", representation.activity_instance)
    return feed_id(slug or stream_settings.USER_FEED, actor)


def recipients_of(representation: ActivityProperties) -> list[str]:
    """Feed ids that an activity goes to besides its actor's feed; ValueError for what is no recipient."""
    return feed_ids_of(_without_actor(representation, _said_by(representation).get("to")))


def _said_by(representation: ActivityProperties) -> dict[str, Any]:
    if not isinstance(representation, Activity):
        return what_is_said(representation)
    try:
        return dict(representation.create_activity())
    except Exception as error:
        add_origin(error, representation.activity_instance, "create_activity")
        raise


def _without_actor(
    representation: ActivityProperties, recipients: Iterable[Any] | None
) -> Iterable[Any] | None:
    if not recipients or representation.activity_declaration.notify_self:
        return recipients
    row = representation.activity_instance
    return others(recipients, read_property(representation, "activity_actor_id", row))


def _sorted_out(recipients: Iterable[Any] | None) -> tuple[list[str], list[str]]:
    """The feed ids of the recipients, and what is wrong with those that have none."""
    found, problems = set(), []
    for one in recipients or ():
        try:
            found.add(str(_feed_id_of(one)))
        except ValueError as error:
            problems.append(f"published, but not to {one!r}: {error}")
    return sorted(found), problems


def feed_ids_of(recipients: Iterable[Any] | None) -> list[str]:
    """Sorted, distinct feed ids of feeds, `slug:user_id` texts and users (their notification feeds)."""
    return sorted({str(_feed_id_of(recipient)) for recipient in recipients or ()})


def others(recipients: Iterable[Any] | None, actor: Any) -> list[Any]:
    """The recipients without the one who acts; feeds that are named by their ids stay."""
    me = owner_id(actor) if actor is not None else None
    return [one for one in recipients or () if not (isinstance(one, models.Model) and _is_named(one, me))]


def _is_named(owner: models.Model, name: OwnerID | None) -> bool:
    try:
        return owner_id(owner) == name
    except ValueError:  # who has no name is told of where its feed is asked for
        return False


def _feed_id_of(recipient: Any) -> FeedID:
    if isinstance(recipient, models.Model):
        if manager := manager_with_own("get_notification_feed", "get_feed", "notification_feed"):
            return FeedID.parse(manager.get_notification_feed(recipient).id)
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
