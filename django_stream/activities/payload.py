"""From an instance to the activity that goes over the wire."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

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

_FIRST_YEAR, _LAST_YEAR = 1582, 5236  # the years between can be carried by ids from end to end
_WITHOUT_ZONE = len("2018-12-21T09:45:42.455925")
_PERSONS = (models.Model, OwnerID)
"""What has a notification feed; all else names a feed."""
_REQUIRED = ("time", "actor", "verb", "object", "foreign_id")


class IncompleteActivity(Unpublishable):
    """A row that should be published lacks its actor, verb, object or time."""


class Payload(NamedTuple):
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
    activity["foreign_id"] = storable(activity["foreign_id"])
    activity["time"] = time_text(activity["time"])
    actor = read("activity_actor_id")
    if read("activity_to_only"):
        return for_recipients_only(activity, recipients)
    feed = _first_feed(representation, actor)
    return addressed(activity, feed, recipients, stream_settings.CONTEXT_FEEDS)


def for_recipients_only(activity: dict[str, Any], recipients: Iterable[Any] | None) -> Payload | None:
    """The payload of an activity that nobody but its recipients may read; None when it has none."""
    to, problems = _sorted_out(recipients)
    if to:
        # Each activity is in one feed first.
        return _payload(FeedID.parse(to[0]), activity, to[1:], problems)
    if problems:
        raise ValueError(problems[0])
    return None


def addressed(
    activity: dict[str, Any], feed: FeedID, recipients: Iterable[Any] | None, context: Collection[str]
) -> Payload:
    """The payload of an activity in its actor's feed, with what it goes to besides.

    `context` are the feeds of what it is about that the settings name.
    """
    if not (recipients or context):
        return Payload(feed, activity)
    to, problems = _sorted_out(recipients)
    return _payload(feed, activity, sorted({*to, *map(str, context_feeds(activity, context))}), problems)


def _payload(feed: FeedID, activity: dict[str, Any], to: list[str], problems: list[str]) -> Payload:
    if to:
        activity["to"] = to
    return Payload(feed, activity, "; ".join(problems))


def time_text(time: date) -> str:
    """The time as it is sent; ValueError for one that no activity can have."""
    if type(time) is datetime and time.tzinfo is UTC and _FIRST_YEAR < time.year < _LAST_YEAR:
        return time.isoformat(timespec="microseconds")[:_WITHOUT_ZONE]
    moment = as_utc(aware(time))
    ticks_of(moment)
    return format_activity_time(moment)


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
    return [one for one in recipients or () if not (isinstance(one, _PERSONS) and _is_named(one, me))]


def _is_named(owner: models.Model | OwnerID, name: OwnerID | None) -> bool:
    try:
        return owner_id(owner) == name
    except ValueError:  # who has no name is told of where its feed is asked for
        return False


def _feed_id_of(recipient: Any) -> FeedID:
    if isinstance(recipient, _PERSONS):
        if manager := manager_with_own("get_notification_feed", "get_feed", "notification_feed"):
            return FeedID.parse(manager.get_notification_feed(recipient).id)
        return feed_id(stream_settings.NOTIFICATION_FEED, recipient)
    return FeedID.parse(getattr(recipient, "id", recipient))


def storable(foreign_id: object) -> str:
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
