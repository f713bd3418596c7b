"""The `to` list of an activity that is already placed is changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError, invalid
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.actions import activities
from django_stream.server.actions.placements import place, with_targets_locked
from django_stream.server.events.event import fields_of
from django_stream.server.events.recording import record
from django_stream.server.fanout import jobs as fanout
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, Feed, Placement
from django_stream.server.ownership import check_actor


@dataclass(frozen=True, slots=True)
class Retargeting:
    """Either the whole new list, or what to add to it and remove from it."""

    key: uuid.UUID
    new: Sequence[str] | None = None
    added: Sequence[str] = ()
    removed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Retargeted:
    """The activity with its new list, and what changed in it."""

    activity: Activity
    added: list[str]
    removed: list[str]


def retarget(application_id: int, feed_id: FeedID, change: Retargeting) -> Retargeted:
    """Put an activity on its new targets and take it off the dropped ones."""
    named = {FeedID.parse(name) for name in (*(change.new or ()), *change.added)}
    feed_store.ensure(application_id, {feed_id, *named})

    def work(locked: Mapping[FeedID, Feed], stored: Mapping[uuid.UUID, Activity]) -> Retargeted:
        activity = stored.get(change.key)
        if activity is None or not _is_posted(locked[feed_id], change.key):
            raise ApiError.named("DoesNotExistException", f"there is no such activity posted to {feed_id}")
        check_actor(activity.actor)
        former, before = fields_of(activity), list(activity.to)
        after = _new_targets(before, change)
        activity.to = after
        activity.save(using=database(), update_fields=["to"])
        added = [name for name in after if name not in before]
        removed = [name for name in before if name not in after]
        by_name = {str(feed_id): feed for feed_id, feed in locked.items()}
        _withdraw([by_name[name].pk for name in removed if name in by_name], change.key)
        # All of the list is placed, not only what is new: a target may have removed the activity.
        home = {by_name[name].pk: [change.key] for name in after}
        fanout.deliver(place({feed.pk: feed for feed in locked.values()}, home, targeted=True))
        record([activities.event(activity, "update", before=former, feeds=[feed_id])])
        return Retargeted(activity, added, removed)

    return with_targets_locked(application_id, {feed_id, *named}, [change.key], work)


def _is_posted(feed: Feed, key: uuid.UUID) -> bool:
    return Placement.objects.using(database()).filter(feed=feed, key=key, targeted=False).exists()


def _new_targets(before: Sequence[str], change: Retargeting) -> list[str]:
    wanted = change.new if change.new is not None else [*before, *change.added]
    after = [name for name in dict.fromkeys(wanted) if name not in change.removed]
    if len(after) > limits.TARGETS_PER_ACTIVITY:
        raise invalid(f"an activity may have at most {limits.TARGETS_PER_ACTIVITY} targets", "to")
    return after


def _withdraw(dropped: Sequence[int], key: uuid.UUID) -> None:
    rows = Placement.objects.using(database()).filter(feed__in=dropped, key=key, targeted=True)
    leaving = list(rows.values_list("feed_id", flat=True))
    if leaving:
        rows.delete()
        fanout.withdraw(leaving, [key])
