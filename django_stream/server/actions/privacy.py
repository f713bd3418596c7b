"""A user's activities are erased: emptied for good, and taken off the feeds that are named."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from django_stream.protocol.feed_ids import FeedID
from django_stream.server.actions import activities, removals
from django_stream.server.actions.placements import with_targets_locked
from django_stream.server.aggregation.names import names_of
from django_stream.server.events.event import Event
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, Feed

_EMPTY = {
    "actor": "",
    "verb": "",
    "object": "",
    "target": "",
    "foreign_id": "",
    "created_by": "",
    "extra": {},
}


def erase(application_id: int, wanted: Mapping[uuid.UUID, Collection[FeedID]]) -> None:
    """Empty activities. Feeds that are not named keep a placeholder, so that nothing shifts."""

    def work(locked: Mapping[FeedID, Feed], stored: Mapping[uuid.UUID, Activity]) -> None:
        by_feed: dict[FeedID, list[uuid.UUID]] = {}
        for key, feeds in wanted.items():
            for name in feeds:
                by_feed.setdefault(name, []).append(key)
        withdrawn = removals.withdraw_or_hide(application_id, locked, by_feed, stored)
        activities.drop(application_id, withdrawn.unplaced & stored.keys())
        left = activities.lock(application_id, stored)
        before = activities.group_members_of(left)
        for activity in left.values():
            _empty(activity)
        activities.regroup(application_id, left, before)
        record(_erased(activity, wanted[key]) for key, activity in stored.items())

    named = {feed for feeds in wanted.values() for feed in feeds}
    with_targets_locked(application_id, named, list(wanted), work)


def _erased(activity: Activity, feeds: Collection[FeedID]) -> Event:
    """The event of an erasure: it must not keep what was erased, the actor included."""
    return Event(
        activity.application_id,
        "activity",
        str(activity.activity_id),
        "delete",
        feeds=tuple(str(feed) for feed in feeds),
    )


def _empty(activity: Activity) -> None:
    for name, value in _EMPTY.items():
        setattr(activity, name, value)
    activity.is_erased = True
    # The names of its groups may contain what was erased.
    activity.group_names = names_of(activity)
    activity.save(using=database(), update_fields=[*_EMPTY, "is_erased", "group_names"])
