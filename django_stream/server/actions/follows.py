"""Feeds follow and unfollow feeds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.actions import audit
from django_stream.server.feed_store import database
from django_stream.server.models import Feed, Follow, Placement
from django_stream.server.timelines import timelines


@dataclass(frozen=True, slots=True)
class Following:
    """A follow to make: whom, and how much of the past comes along."""

    source: FeedID
    target: FeedID
    copy_limit: int


@dataclass(frozen=True, slots=True)
class Unfollowing:
    """A follow to end."""

    source: FeedID
    target: FeedID
    keep_history: bool = False


def follow_many(application_id: int, followings: Sequence[Following]) -> None:
    """Open follows and copy the newest activities of their targets; known pairs stay as they are."""
    if not followings:
        return
    names = {name for following in followings for name in (following.source, following.target)}
    known = feed_store.ensure(application_id, names)
    with transaction.atomic(using=database()):
        locked = feed_store.lock(known[following.target] for following in followings)
        wanted = {(known[one.source].pk, known[one.target].pk): one.copy_limit for one in followings}
        open_pairs = set(
            Follow.objects.using(database())
            .filter(
                source__in={pair[0] for pair in wanted},
                target__in=locked,
                until_seq__isnull=True,
            )
            .values_list("source_id", "target_id")
        )
        new = _new_follows({pair: wanted[pair] for pair in wanted if pair not in open_pairs}, locked)
        Follow.objects.using(database()).bulk_create(new)
        timelines().followed([follow.pk for follow in new])
        _log("follow", [(follow.source_id, follow.target_id) for follow in new], known)


def _new_follows(pairs: dict[tuple[int, int], int], locked: dict[int, Feed]) -> list[Follow]:
    floors = {
        (target, limit): _floor(target, limit)
        for target, limit in {(target, limit) for (_, target), limit in pairs.items()}
    }
    return [
        Follow(
            source_id=source,
            target_id=target,
            since_seq=locked[target].version,
            floor_key=floors[target, limit],
        )
        for (source, target), limit in pairs.items()
    ]


def _floor(target: int, copy_limit: int) -> uuid.UUID | None:
    """Key of the oldest activity that a follow copies."""
    newest = (
        Placement.objects.using(database())
        .filter(feed=target, seq__isnull=False)
        .order_by("-key")
        .values_list("key", flat=True)[:copy_limit]
    )
    keys = list(newest)
    return keys[-1] if keys else None


def _log(action: str, pairs: Sequence[tuple[int, int]], known: dict[FeedID, Feed]) -> None:
    names = {feed.pk: str(name) for name, feed in known.items()}
    by_target: dict[int, list[str]] = {}
    for source, target in pairs:
        by_target.setdefault(target, []).append(names[source])
    for target, sources in by_target.items():
        application_id = next(iter(known.values())).application_id
        audit.changed(application_id, "feed", sources, action, custom={"target": names[target]})


def unfollow_many(application_id: int, unfollowings: Sequence[Unfollowing]) -> None:
    """End follows. Their copies go too, unless the history is kept; unknown pairs are no error."""
    names = {name for one in unfollowings for name in (one.source, one.target)}
    known = feed_store.find(application_id, names)
    wanted = {
        (known[one.source].pk, known[one.target].pk): one.keep_history
        for one in unfollowings
        if one.source in known and one.target in known
    }
    if not wanted:
        return
    with transaction.atomic(using=database()):
        locked = feed_store.lock(known[one.target] for one in unfollowings if one.target in known)
        for (source, target), keep_history in wanted.items():
            rows = Follow.objects.using(database()).filter(source=source, target=target)
            if keep_history:
                rows.filter(until_seq__isnull=True).update(until_seq=locked[target].version)
            else:
                rows.delete()
        _log("unfollow", list(wanted), known)
        timelines().unfollowed([pair for pair, keep_history in wanted.items() if not keep_history])
