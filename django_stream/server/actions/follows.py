"""Feeds follow and unfollow feeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Subquery

from django_stream.database.conditions import one_of, rows_among
from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.events.event import Event, Fields, fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database
from django_stream.server.models import Feed, Follow
from django_stream.server.timelines import admission, timelines


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
        pairs = [((known[one.source].pk, known[one.target].pk), one.copy_limit) for one in followings]
        wanted = dict(pairs) | dict(reversed(pairs))  # one that is there twice is known at its second time
        open_pairs = {(row.source, row.target) for row in _follows_of(wanted) if row.is_open}
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
    targets: dict[int, set[int]] = {}
    for (_, target), limit in pairs.items():
        targets.setdefault(limit, set()).add(target)
    floors = {limit: admission.oldest_copied(feeds, limit) for limit, feeds in targets.items()}
    return [
        Follow(
            source_id=source,
            target_id=target,
            since_seq=locked[target].version,
            floor_key=floors[limit].get(target),
        )
        for (source, target), limit in pairs.items()
    ]


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
    # Of a pair that is there twice, one that takes the history along is enough, as it is in two requests.
    wanted = {
        (one.source, one.target): one.keep_history
        for one in sorted(unfollowings, key=attrgetter("keep_history"), reverse=True)
        if one.source in known and one.target in known
    }
    if not wanted:
        return
    with transaction.atomic(using=database()):
        feed_store.lock(known[target] for _, target in wanted)
        keeping = {(known[source].pk, known[target].pk): keep for (source, target), keep in wanted.items()}
        ended = _end(keeping)
        record(
            _event(application_id, source, target, "unfollow")
            for source, target in wanted
            if (known[source].pk, known[target].pk) in ended
        )
        timelines().unfollowed([pair for pair in ended if not keeping[pair]])


def _end(keeping: Mapping[tuple[int, int], bool]) -> set[tuple[int, int]]:
    """Close follows, or delete them with their history; the pairs that had one to end."""
    follows = _follows_of(keeping)
    closed = [row for row in follows if keeping[row.source, row.target] and row.is_open]
    deleted = [row for row in follows if not keeping[row.source, row.target]]
    if closed:
        rows = Follow.objects.using(database()).filter(pk__in=[row.id for row in closed])
        rows.update(until_seq=Subquery(Feed.objects.filter(pk=OuterRef("target_id")).values("version")))
    if deleted:
        Database.to_write(Follow).delete(Follow, one_of("id", [row.id for row in deleted]))
    return {(row.source, row.target) for row in (*closed, *deleted)}


class _FollowRow(NamedTuple):
    id: int
    source: int
    target: int
    until_seq: int | None

    @property
    def is_open(self) -> bool:
        return self.until_seq is None


def _follows_of(pairs: Collection[tuple[int, int]]) -> list[_FollowRow]:
    """The follows, open and closed, of (source, target) pairs."""
    chosen = rows_among({"source_id": "bigint", "target_id": "bigint"}, list(pairs))
    found = Database.to_write(Follow).select(Follow, ["id", "source_id", "target_id", "until_seq"], chosen)
    return [_FollowRow(*row) for row in found]
