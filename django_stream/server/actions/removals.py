"""Activities are taken off feeds, or hidden where following brought them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django_stream.database.batches import batched
from django_stream.database.conditions import rows_among
from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.actions import activities
from django_stream.server.actions.placements import PAIR, Pair, with_targets_locked
from django_stream.server.activity_rows import read_key
from django_stream.server.events.event import fields_of
from django_stream.server.events.recording import record
from django_stream.server.fanout import jobs as fanout
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, Exclusion, Feed, Placement
from django_stream.server.ownership import is_own
from django_stream.server.timelines import admission, timelines


@dataclass(frozen=True, slots=True)
class Spared:
    """What a removal leaves, by the keys of the activities."""

    placed: Collection[uuid.UUID] = ()
    """They stay as they are."""
    followed: Collection[uuid.UUID] = ()
    """What following brings of them stays."""


class Withdrawn(NamedTuple):
    """What became of activities that were to leave feeds."""

    feeds: dict[uuid.UUID, list[FeedID]]
    """The keys of those that were there, each with the feeds that it was taken off."""
    unplaced: set[uuid.UUID]
    """Those that are on no feed any more."""


# Activities that are taken off a feed in one transaction.
_AT_ONCE = 1000


def remove(application_id: int, feed_id: FeedID, keys: Collection[uuid.UUID]) -> bool:
    """Take activities off a feed. From the feed they were posted to, they go everywhere.

    What others did, a user takes off the own feed alone. An activity that only reached the feed by
    following is hidden there and stays elsewhere. Whether any of them was there.
    """
    found = [remove_from(application_id, {feed_id: part}) for part in batched(sorted(keys), _AT_ONCE)]
    return any(found)


def remove_from(
    application_id: int,
    wanted: Mapping[FeedID, Collection[uuid.UUID]],
    *,
    spared: Callable[[], Spared] = Spared,
) -> bool:
    """Likewise, activities off several feeds at once; `spared` says what stays, once the feeds are locked."""

    def work(locked: Mapping[FeedID, Feed], stored: Mapping[uuid.UUID, Activity]) -> bool:
        before = {key: fields_of(activity) for key, activity in stored.items()}
        stay = spared()
        chosen = {name: [key for key in keys if key not in stay.placed] for name, keys in wanted.items()}
        withdrawn = withdraw_or_hide(application_id, locked, chosen, stored, shown=stay.followed)
        there = {key: feeds for key, feeds in sorted(withdrawn.feeds.items()) if key in stored}
        gone = withdrawn.unplaced & there.keys()
        activities.drop(application_id, gone)
        record(
            activities.event(stored[key], "delete", before=before[key], is_gone=key in gone, feeds=feeds)
            for key, feeds in there.items()
        )
        return bool(there)

    keys = {key for some in wanted.values() for key in some}
    return with_targets_locked(application_id, list(wanted), keys, work)


def withdraw_or_hide(
    application_id: int,
    locked: Mapping[FeedID, Feed],
    wanted: Mapping[FeedID, Collection[uuid.UUID]],
    stored: Mapping[uuid.UUID, Activity],
    *,
    shown: Collection[uuid.UUID] = (),
) -> Withdrawn:
    """Take locked activities off locked feeds, or hide there what they have by following, but for `shown`."""
    pairs = {(locked[name].pk, key) for name, keys in wanted.items() if name in locked for key in keys}
    if not pairs:
        return Withdrawn({}, set())
    left, unplaced = _withdraw(application_id, pairs, stored)
    to_hide = {(feed, key) for feed, key in pairs if key not in shown}
    hidden = _hide(to_hide)
    fanout.withdraw({feed for feed, _ in left}, {key for _, key in left})
    if others := to_hide - left:
        timelines().withdrawn({feed for feed, _ in others}, {key for _, key in others}, own_only=True)
    removed: dict[uuid.UUID, list[FeedID]] = {}
    for name, keys in wanted.items():
        for key in keys:
            if name in locked and (locked[name].pk, key) in left | hidden:
                removed.setdefault(key, []).append(name)
    return Withdrawn(removed, unplaced)


def _withdraw(
    application_id: int, pairs: Collection[Pair], stored: Mapping[uuid.UUID, Activity]
) -> tuple[set[Pair], set[uuid.UUID]]:
    """Delete the record of activities on feeds; the pairs that lost their placement, and what has none now.

    What is posted nowhere else after that leaves the feeds of its `to` list too, if it is the caller's own.
    """
    wanted: dict[uuid.UUID, set[int]] = {}
    for feed, key in pairs:
        wanted.setdefault(key, set()).add(feed)
    placed = activities.placed_feeds(application_id, wanted)
    left: set[Pair] = set()
    unplaced: set[uuid.UUID] = set()
    unaddressed: list[uuid.UUID] = []
    for key, feeds in wanted.items():
        here = placed.get(key, {})
        leaving = feeds & here.keys()
        posted = {feed for feed, targeted in here.items() if not targeted}
        if posted and posted <= leaving and (key not in stored or is_own(stored[key].actor)):
            leaving |= here.keys()
            unaddressed.append(key)
        left |= {(feed, key) for feed in leaving}
        if leaving == here.keys():
            unplaced.add(key)
    activities.unaddress(application_id, [stored[key] for key in unaddressed if key in stored])
    if left:
        Database.to_write(Placement).delete(Placement, rows_among(PAIR, sorted(left)))
    return left, unplaced


def _hide(pairs: Collection[Pair]) -> set[Pair]:
    """Exclude activities that feeds have by following; those that were to be seen until now."""
    admitted = admission.admitted({feed for feed, _ in pairs}, {key for _, key in pairs}) & set(pairs)
    if not admitted:
        return set()
    known = Database.to_write(Exclusion).select(
        Exclusion, ["feed_id", "key"], rows_among(PAIR, sorted(admitted))
    )
    new = admitted - {(feed, read_key(key)) for feed, key in known}
    Exclusion.objects.using(database()).bulk_create(
        [Exclusion(feed_id=feed, key=key) for feed, key in sorted(new)], ignore_conflicts=True
    )
    return new
