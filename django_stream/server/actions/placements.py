"""Activities are placed on feeds."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from django.db import transaction

from django_stream.database.bulk_sql import Upsert, among, insert_rows
from django_stream.database.conditions import equal, false, null, one_of, rows_among, true, union
from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.actions import activities
from django_stream.server.activity_input import ActivityInput
from django_stream.server.activity_rows import read_key
from django_stream.server.content import read_stored
from django_stream.server.events.event import Event, current_caller, fields_of
from django_stream.server.events.recording import record
from django_stream.server.fanout import jobs as fanout
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, Exclusion, Feed, Placement, RemovalJob

Result = TypeVar("Result")
Keys = Mapping[int, Collection[uuid.UUID]]
Pair = tuple[int, uuid.UUID]
"""A feed, by the number of its row, and an activity, by its sort key."""

PAIR = {"feed_id": "bigint", "key": "uuid"}


def add(application_id: int, feed_id: FeedID, new_activities: Sequence[ActivityInput]) -> list[Activity]:
    """Post activities to a feed and to their targets. The stored ones, in the order given."""
    wanted = activities.each_once(new_activities)
    targets = {FeedID.parse(name) for new_activity in wanted for name in new_activity.to}
    with feed_store.writing(application_id, {feed_id, *targets}) as known:
        locked = _by_number(known)
        upserted = activities.upsert(application_id, wanted)
        addressed: dict[int, list[uuid.UUID]] = {}
        for new_activity in wanted:
            for name in new_activity.to:
                addressed.setdefault(known[FeedID.parse(name)].pk, []).append(new_activity.key)
        home = {known[feed_id].pk: [new_activity.key for new_activity in wanted]}
        _take_over(application_id, upserted, wanted)
        changed = place(locked, home) | place(locked, addressed, targeted=True)
        # All at once, so that groups are locked in one order.
        fanout.deliver(changed)
        record(_posted(upserted, {feed_id: upserted.stored}, known, changed))
    return [upserted.stored[new_activity.key] for new_activity in new_activities]


def add_to_many(application_id: int, feed_ids: Sequence[FeedID], new_activity: ActivityInput) -> Activity:
    """Post one activity to many feeds, but not to their followers, and to its targets."""
    targets = [FeedID.parse(name) for name in new_activity.to]
    with feed_store.writing(application_id, [*feed_ids, *targets]) as known:
        locked = _by_number(known)
        upserted = activities.upsert(application_id, [new_activity])
        _take_over(application_id, upserted, [new_activity])
        many, addressed = (
            {known[feed].pk: [new_activity.key] for feed in feeds} for feeds in (feed_ids, targets)
        )
        posted = place(locked, many, forwarded=False)
        fanout.deliver(posted, forwarded=False)
        told = place(locked, addressed, targeted=True)
        fanout.deliver(told)
        record(_posted(upserted, dict.fromkeys(feed_ids, upserted.stored), known, posted | told))
    return upserted.stored[new_activity.key]


def add_each(application_id: int, wanted: Mapping[FeedID, Sequence[ActivityInput]]) -> None:
    """Post activities without targets, each to feeds of its own, and to the followers of those."""
    every = {one.key: one for some in wanted.values() for one in some}
    with feed_store.writing(application_id, wanted) as known:
        locked = _by_number(known)
        upserted = activities.upsert(application_id, list(every.values()))
        _take_over(application_id, upserted, list(every.values()))
        keys = {known[feed].pk: [one.key for one in some] for feed, some in wanted.items()}
        changed = place(locked, keys)
        fanout.deliver(changed)
        named = {feed: [one.key for one in some] for feed, some in wanted.items()}
        record(_posted(upserted, named, known, changed))


def _by_number(feeds: Mapping[FeedID, Feed]) -> dict[int, Feed]:
    return {feed.pk: feed for feed in feeds.values()}


def _posted(
    upserted: activities.Upserted,
    named: Mapping[FeedID, Collection[uuid.UUID]],
    known: Mapping[FeedID, Feed],
    changed: Collection[Pair],
) -> Iterator[Event]:
    """What happened to activities that were posted to the feeds that are `named`."""
    feeds: dict[uuid.UUID, list[FeedID]] = {}
    for feed, keys in named.items():
        for key in keys:
            feeds.setdefault(key, []).append(feed)
    for key, activity in upserted.stored.items():
        before = upserted.before.get(key)
        named_ones = [*feeds[key], *map(FeedID.parse, activity.to)]
        placed = tuple(str(one) for one in named_ones if one in known and (known[one].pk, key) in changed)
        if before == fields_of(activity) and not placed:
            continue  # it was posted again: nothing happened
        yield activities.event(
            activity,
            "create" if before is None else "update",
            before=before,
            feeds=[*feeds[key], *activity.to],
            placed=placed,
        )


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
            records = Placement.objects.using(database()).filter(key=activity.key)
            listing = records.of_application(application_id).values_list("feed", flat=True)
            feeds = feed_store.lock(Feed.objects.using(database()).filter(among("pk", listing, database())))
            records.filter(among("feed", feeds, database())).delete()
            fanout.withdraw(feeds, [activity.key])


def place(
    locked: Mapping[int, Feed], keys: Keys, *, targeted: bool = False, forwarded: bool = True
) -> set[tuple[int, uuid.UUID]]:
    """Record placements on locked feeds. Those (feed, key) that are new for the timelines."""
    every = {key for some in keys.values() for key in some}
    if not every:
        return set()
    there, hidden = _there(keys, every)
    changed: list[Placement] = []
    unmarked: list[Pair] = []
    steps = dict.fromkeys(keys, 0)
    for feed, key in ((feed, key) for feed, some in keys.items() for key in dict.fromkeys(some)):
        placement = there.get((feed, key))
        before = placement and (placement.seq, placement.targeted)
        placement = placement or Placement(feed_id=feed, key=key, targeted=targeted)
        if forwarded and placement.seq is None:
            steps[feed] += 1
            placement.seq = locked[feed].version + steps[feed]
        else:
            unmarked.append((feed, key))
        placement.targeted = placement.targeted and targeted
        if before != (placement.seq, placement.targeted):
            changed.append(placement)
    _write(changed, list(locked.values()), steps)
    _keep_from_removals(locked, unmarked)
    return {(placement.feed_id, placement.key) for placement in changed} | _lift_exclusions(keys, hidden)


def _there(feeds: Collection[int], keys: Collection[uuid.UUID]) -> tuple[dict[Pair, Placement], list[Pair]]:
    """The placements of any of the activities on any of the feeds, and where they are hidden."""
    database = Database.to_write(Placement)
    chosen = one_of("feed_id", feeds), one_of("key", keys, uuids=True)
    placed = database.query(Placement, ["feed_id", "key", "seq", "targeted", false], *chosen)
    excluded = database.query(Exclusion, ["feed_id", "key", null, false, true], *chosen)
    found: dict[Pair, Placement] = {}
    hidden: list[Pair] = []
    for feed, key, seq, targeted, is_hidden in database.rows(*union(placed, excluded)):
        pair = feed, read_key(key)
        if is_hidden:
            hidden.append(pair)
        else:
            found[pair] = Placement(feed_id=feed, key=pair[1], seq=seq, targeted=bool(targeted))
    return found, hidden


def _write(placements: list[Placement], locked: Sequence[Feed], steps: dict[int, int]) -> None:
    if placements:
        there = Upsert(unique=("feed_id", "key"), replace=("seq", "targeted"))
        insert_rows(placements, database(), there)
        feed_store.advance(locked, steps)
        for feed in locked:
            feed.version += steps.get(feed.pk, 0)


def _lift_exclusions(keys: Keys, hidden: Collection[Pair]) -> set[Pair]:
    """Undo the hiding of activities on feeds where they are placed now; the pairs that were hidden."""
    lifted = {(feed, key) for feed, key in hidden if key in keys[feed]}
    if lifted:
        Database.to_write(Exclusion).delete(Exclusion, rows_among(PAIR, sorted(lifted)))
    return lifted


def _keep_from_removals(locked: Mapping[int, Feed], placed: Collection[Pair]) -> None:
    """What is placed while a removal of its foreign_id is under way came after that, and stays.

    Of most placements a new `seq` tells that. `placed` are the others: what was there already, and what
    add_to_many brings.
    """
    if not placed:
        return
    keys: dict[int, list[uuid.UUID]] = {}
    for feed, key in placed:
        keys.setdefault(feed, []).append(key)
    jobs = RemovalJob.objects.using(database()).filter(among("feed", keys, database()))
    # The lock of the feed keeps others from its jobs.
    for job in jobs.order_by("pk"):
        left = [key for key in keys[job.feed] if key < job.before]
        same = Activity.objects.using(database()).filter(
            application_id=locked[job.feed].application_id, key__in=left, foreign_id=job.foreign_id
        )
        new = {str(key) for key in same.values_list("key", flat=True)}.difference(job.kept)
        if new:
            job.kept = [*job.kept, *sorted(new)]
            job.save(using=database(), update_fields=["kept"])


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
            locked = feed_store.lock_named(application_id, expected.union(feed_ids))
            stored = activities.lock(application_id, keys)
            if {FeedID.parse(name) for activity in stored.values() for name in activity.to} <= expected:
                return work(locked, stored)
            # Inside another transaction too, the next try begins without locks.
            transaction.set_rollback(True, using=database())


def _addressed(application_id: int, keys: Collection[uuid.UUID]) -> set[FeedID]:
    """The feeds that the `to` lists of these activities name."""
    chosen = equal("application_id", application_id), one_of("key", keys, uuids=True)
    rows = Database.to_write(Activity).select(Activity, ["to"], *chosen) if keys else []
    return {FeedID.parse(name) for (to,) in rows for name in read_stored(to)}
