"""Activities are placed on feeds and taken off them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from django.db import transaction

from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.actions import activities
from django_stream.server.activity_input import ActivityInput
from django_stream.server.events.event import Event, current_caller, fields_of
from django_stream.server.events.recording import record
from django_stream.server.fanout import jobs as fanout
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, Exclusion, Feed, Placement
from django_stream.server.timelines import admission, timelines

Result = TypeVar("Result")
Keys = Mapping[int, Collection[uuid.UUID]]


def add(application_id: int, feed_id: FeedID, new_activities: Sequence[ActivityInput]) -> list[Activity]:
    """Post activities to a feed and to their targets. The stored ones, in the order given."""
    targets = {FeedID.parse(name) for new_activity in new_activities for name in new_activity.to}
    known = feed_store.ensure(application_id, {feed_id, *targets})
    with transaction.atomic(using=database()):
        locked = feed_store.lock(known.values())
        upserted = activities.upsert(application_id, new_activities)
        addressed: dict[int, list[uuid.UUID]] = {}
        for new_activity in new_activities:
            for name in new_activity.to:
                addressed.setdefault(known[FeedID.parse(name)].pk, []).append(new_activity.key)
        home = {known[feed_id].pk: [new_activity.key for new_activity in new_activities]}
        _take_over(application_id, upserted, new_activities)
        changed = place(locked, home) | place(locked, addressed, targeted=True)
        # All at once, so that groups are locked in one order.
        fanout.deliver(changed)
        record(_posted(upserted, [feed_id]))
    return [upserted.stored[new_activity.key] for new_activity in new_activities]


def add_to_many(
    application_id: int, feed_ids: Sequence[FeedID], new_activity: ActivityInput, *, forwarded: bool = False
) -> Activity:
    """Post one activity to many feeds and, only if forwarded, to their followers."""
    known = feed_store.ensure(application_id, feed_ids)
    with transaction.atomic(using=database()):
        locked = feed_store.lock(known.values())
        upserted = activities.upsert(application_id, [new_activity])
        _take_over(application_id, upserted, [new_activity])
        changed = place(locked, {feed: [new_activity.key] for feed in locked}, forwarded=forwarded)
        fanout.deliver(changed, forwarded=forwarded)
        record(_posted(upserted, feed_ids))
    return upserted.stored[new_activity.key]


def _posted(upserted: activities.Upserted, feed_ids: Sequence[FeedID]) -> Iterator[Event]:
    for key, activity in upserted.stored.items():
        before = upserted.before.get(key)
        action = "create" if before is None else "update"
        yield activities.event(activity, action, before=before, feeds=[*feed_ids, *activity.to])


def _take_over(
    application_id: int, upserted: activities.Upserted, new_activities: Sequence[ActivityInput]
) -> None:
    """What a user had posted first under the identity of the application's activity is on no feed any more.

    foreign_id and time can be guessed: without this, the application's activity would be shown on the
    feeds that the user chose.
    """
    for new_activity in new_activities:
        before = upserted.before.get(new_activity.key)
        if before is None or not before["created_by"] or current_caller():
            continue
        activity = upserted.stored[new_activity.key]
        if before["actor"] != activity.actor:
            activity.to = list(new_activity.to)
            activity.save(using=database(), update_fields=["to"])
            records = Placement.objects.using(database()).filter(
                key=activity.key, feed__application=application_id
            )
            feeds = feed_store.lock(Feed.objects.using(database()).filter(pk__in=records.values("feed")))
            records.delete()
            fanout.withdraw(feeds, [activity.key])


def place(
    locked: Mapping[int, Feed], keys: Keys, *, targeted: bool = False, forwarded: bool = True
) -> set[tuple[int, uuid.UUID]]:
    """Record placements on locked feeds. Those (feed, key) that are new for the timelines."""
    every = {key for some in keys.values() for key in some}
    if not every:
        return set()
    there = {
        (placement.feed_id, placement.key): placement
        for placement in Placement.objects.using(database()).filter(feed__in=keys, key__in=every)
    }
    changed: list[Placement] = []
    steps = dict.fromkeys(keys, 0)
    for feed, key in ((feed, key) for feed, some in keys.items() for key in dict.fromkeys(some)):
        placement = there.get((feed, key))
        before = placement and (placement.seq, placement.targeted)
        placement = placement or Placement(feed_id=feed, key=key, targeted=targeted)
        if forwarded and placement.seq is None:
            steps[feed] += 1
            placement.seq = locked[feed].version + steps[feed]
        placement.targeted = placement.targeted and targeted
        if before != (placement.seq, placement.targeted):
            changed.append(placement)
    _write(changed, list(locked.values()), steps)
    return {(placement.feed_id, placement.key) for placement in changed} | _lift_exclusions(keys, every)


def _write(placements: list[Placement], locked: Sequence[Feed], steps: dict[int, int]) -> None:
    if placements:
        Placement.objects.using(database()).bulk_create(
            placements,
            update_conflicts=True,
            unique_fields=["feed", "key"],
            update_fields=["seq", "targeted"],
        )
        feed_store.advance(locked, steps)
        for feed in locked:
            feed.version += steps.get(feed.pk, 0)


def _lift_exclusions(keys: Keys, every: Collection[uuid.UUID]) -> set[tuple[int, uuid.UUID]]:
    """Undo the hiding of activities on feeds where they are placed now; the pairs that were hidden."""
    hidden = Exclusion.objects.using(database()).filter(feed__in=keys, key__in=every)
    lifted = {(feed, key) for feed, key in hidden.values_list("feed_id", "key") if key in keys[feed]}
    if lifted:
        hidden.filter(pk__in=sorted(lifted)).delete()
    return lifted


def remove(application_id: int, feed_id: FeedID, keys: Collection[uuid.UUID]) -> None:
    """Take activities off a feed. From the feed they were posted to, they go everywhere.

    An activity that only reached the feed by following is hidden there and stays elsewhere.
    """
    if not keys or not feed_store.find(application_id, [feed_id]):
        return

    def work(locked: Mapping[FeedID, Feed], stored: Mapping[uuid.UUID, Activity]) -> None:
        before = {key: fields_of(activity) for key, activity in stored.items()}
        removed = stored.keys() & withdraw_or_hide(locked[feed_id], keys, stored)
        gone = activities.drop_unplaced(application_id, removed)
        record(
            activities.event(stored[key], "delete", before=before[key], is_gone=key in gone, feeds=[feed_id])
            for key in sorted(removed)
        )

    with_targets_locked(application_id, [feed_id], keys, work)


def withdraw_or_hide(
    feed: Feed, keys: Collection[uuid.UUID], stored: Mapping[uuid.UUID, Activity]
) -> set[uuid.UUID]:
    """Take locked activities off a locked feed, or hide there what it has by following.

    Returns the keys of those that were there.
    """
    leaving: set[int] = set()
    removed: set[uuid.UUID] = set()
    for key in keys:
        left = _withdraw(feed, key, stored.get(key))
        leaving |= left
        if _hide(feed, key) or left:
            removed.add(key)
    fanout.withdraw(leaving, keys)
    if feed.pk not in leaving:
        timelines().withdrawn([feed.pk], keys, own_only=True)
    return removed


def with_targets_locked(
    application_id: int,
    feed_ids: Collection[FeedID],
    keys: Collection[uuid.UUID],
    work: Callable[[Mapping[FeedID, Feed], Mapping[uuid.UUID, Activity]], Result],
) -> Result:
    """Call `work` in a transaction, with the feeds that exist, the activities and all their targets locked.

    Feeds are locked in id order and before activities. Which feeds are targets is certain only once the
    activities are locked: when another writer has changed them until then, all is done again.
    """
    while True:
        expected = _addressed(application_id, keys)
        with transaction.atomic(using=database()):
            found = feed_store.find(application_id, expected.union(feed_ids))
            locked = feed_store.lock(found.values())
            stored = activities.lock(application_id, keys)
            if {FeedID.parse(name) for activity in stored.values() for name in activity.to} <= expected:
                return work({feed.feed_id: feed for feed in locked.values()}, stored)


def _addressed(application_id: int, keys: Collection[uuid.UUID]) -> set[FeedID]:
    rows = Activity.objects.using(database()).filter(application_id=application_id, key__in=keys)
    return {FeedID.parse(name) for to in rows.values_list("to", flat=True) for name in to}


def _withdraw(feed: Feed, key: uuid.UUID, activity: Activity | None) -> set[int]:
    """Delete the record of an activity on a feed; the feeds that lost their placement."""
    records = Placement.objects.using(database()).filter(key=key, feed__application=feed.application_id)
    here = records.filter(feed=feed).first()
    leaving: set[int] = set()
    if here is not None:
        leaving.add(feed.pk)
        if not here.targeted and not records.filter(targeted=False).exclude(feed=feed).exists():
            # Posted nowhere else: what its `to` list placed goes with it.
            leaving |= set(records.filter(targeted=True).values_list("feed_id", flat=True))
            if activity is not None and activity.to:
                activity.to = []
                activity.save(using=database(), update_fields=["to"])
        records.filter(feed__in=leaving).delete()
    return leaving


def _hide(feed: Feed, key: uuid.UUID) -> bool:
    """Exclude an activity that the feed has by following; whether it was to be seen until now."""
    if not admission.admits(feed.pk, key):
        return False
    _, is_new = Exclusion.objects.using(database()).get_or_create(feed=feed, key=key)
    return is_new
