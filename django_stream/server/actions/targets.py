"""The `to` list of an activity that is already placed is changed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django_stream.database.conditions import equal, rows_among
from django_stream.database.statements import Database
from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError, invalid
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.actions import activities
from django_stream.server.actions.placements import PAIR, Pair, place, with_targets_locked
from django_stream.server.activity_rows import read_key
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


def retarget(application_id: int, feed_id: FeedID, changes: Sequence[Retargeting]) -> list[Retargeted]:
    """Put activities on their new targets and take them off the dropped ones; all of them or none."""
    named = {FeedID.parse(name) for change in changes for name in (*(change.new or ()), *change.added)}
    feed_store.ensure(application_id, {feed_id, *named})
    keys = {change.key for change in changes}

    def work(locked: Mapping[FeedID, Feed], stored: Mapping[uuid.UUID, Activity]) -> list[Retargeted]:
        posted = _posted(locked[feed_id], keys)
        former = {key: fields_of(activity) for key, activity in stored.items()}
        changed = [_changed(feed_id, stored.get(change.key), change, posted) for change in changes]
        touched = [stored[key] for key in sorted(keys)]
        activities.save_columns(application_id, touched, ["to"])
        _move({str(name): feed for name, feed in locked.items()}, touched, changed)
        record(
            activities.event(activity, "update", before=former[activity.key], feeds=[feed_id])
            for activity in touched
        )
        return changed

    return with_targets_locked(application_id, {feed_id, *named}, keys, work)


def _posted(feed: Feed, keys: Collection[uuid.UUID]) -> set[uuid.UUID]:
    rows = Placement.objects.using(database()).filter(feed=feed, key__in=keys, targeted=False)
    return set(rows.values_list("key", flat=True))


def _changed(
    feed_id: FeedID, activity: Activity | None, change: Retargeting, posted: Collection[uuid.UUID]
) -> Retargeted:
    """Give a locked activity its new list."""
    if activity is None or change.key not in posted:
        raise ApiError.named("DoesNotExistException", f"there is no such activity posted to {feed_id}")
    check_actor(activity.actor)
    before = list(activity.to)
    activity.to = after = _new_targets(before, change)
    return Retargeted(
        activity,
        [name for name in after if name not in before],
        [name for name in before if name not in after],
    )


def _move(
    by_name: Mapping[str, Feed],
    touched: Sequence[Activity],
    changed: Sequence[Retargeted],
) -> None:
    """Make the placements of the activities those of their lists."""
    dropped: set[tuple[int, uuid.UUID]] = set()
    home: dict[int, list[uuid.UUID]] = {}
    former: dict[uuid.UUID, set[str]] = {}
    for one in changed:
        former.setdefault(one.activity.key, set()).update(one.removed)
    for activity in touched:
        names = former[activity.key] - {*activity.to}
        dropped |= {(by_name[name].pk, activity.key) for name in names if name in by_name}
        # All of the list is placed, not only what is new: a target may have removed the activity.
        for name in activity.to:
            home.setdefault(by_name[name].pk, []).append(activity.key)
    _withdraw(dropped)
    fanout.deliver(place({feed.pk: feed for feed in by_name.values()}, home, targeted=True))


def _new_targets(before: Sequence[str], change: Retargeting) -> list[str]:
    wanted = change.new if change.new is not None else [*before, *change.added]
    after = [name for name in dict.fromkeys(wanted) if name not in change.removed]
    # One that was posted again and again may have more, and can lose some of them.
    if len(after) > max(limits.TARGETS_PER_ACTIVITY, len(before)):
        raise invalid(f"an activity may have at most {limits.TARGETS_PER_ACTIVITY} targets", "to")
    return after


def _withdraw(dropped: Collection[Pair]) -> None:
    """Delete these placements, unless the activity was posted there too."""
    if not dropped:
        return
    chosen = rows_among(PAIR, sorted(dropped)), equal("targeted", True)
    records = Database.to_write(Placement)
    leaving = records.select(Placement, list(PAIR), *chosen)
    if leaving:
        records.delete(Placement, *chosen)
        fanout.withdraw({feed for feed, _ in leaving}, {read_key(key) for _, key in leaving})
