"""Feeds follow and unfollow feeds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.events.event import Event, Fields, fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database
from django_stream.server.models import Feed, Follow, Placement
from django_stream.server.timelines import timelines


@dataclass(frozen=True, slots=True)
class Following:
    """A follow to open; `copy_limit` is how many of the newest activities of the target are copied."""

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
        names_by_id = {feed.pk: name for name, feed in known.items()}
        record(
            _event(
                application_id,
                names_by_id[follow.source_id],
                names_by_id[follow.target_id],
                "follow",
                after=fields_of(follow),
            )
            for follow in new
        )


def _new_follows(pairs: dict[tuple[int, int], int], locked: dict[int, Feed]) -> list[Follow]:
    floors = {
        (target, limit): _oldest_copied(target, limit)
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


def _oldest_copied(target: int, copy_limit: int) -> uuid.UUID | None:
    """Key of the oldest activity that a follow copies."""
    newest = (
        Placement.objects.using(database())
        .filter(feed=target, seq__isnull=False)
        .order_by("-key")
        .values_list("key", flat=True)[:copy_limit]
    )
    keys = list(newest)
    return keys[-1] if keys else None


def _event(
    application_id: int, source: FeedID, target: FeedID, action: str, *, after: Fields | None = None
) -> Event:
    return Event(
        application_id,
        "follow",
        str(source),
        action,
        feeds=(str(source), str(target)),
        after=after,
        details={"target": str(target)},
    )


def unfollow_many(application_id: int, unfollowings: Sequence[Unfollowing]) -> None:
    """End follows. Their copies go too, unless the history is kept; unknown pairs are no error."""
    names = {name for one in unfollowings for name in (one.source, one.target)}
    known = feed_store.find(application_id, names)
    wanted = {
        (one.source, one.target): one.keep_history
        for one in unfollowings
        if one.source in known and one.target in known
    }
    if not wanted:
        return
    with transaction.atomic(using=database()):
        locked = feed_store.lock(known[target] for _, target in wanted)
        ended = [
            (source, target)
            for (source, target), keep_history in wanted.items()
            if _end(known[source], locked[known[target].pk], keep_history=keep_history)
        ]
        record(_event(application_id, source, target, "unfollow") for source, target in ended)
        timelines().unfollowed(
            [
                (known[source].pk, known[target].pk)
                for (source, target), keep_history in wanted.items()
                if not keep_history
            ]
        )


def _end(source: Feed, target: Feed, *, keep_history: bool) -> bool:
    """Close a follow or delete it with its history; whether there was one."""
    rows = Follow.objects.using(database()).filter(source=source, target=target)
    if keep_history:
        return bool(rows.filter(until_seq__isnull=True).update(until_seq=target.version))
    return bool(rows.delete()[0])
