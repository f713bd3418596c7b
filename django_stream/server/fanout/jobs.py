"""Fan-out: at once for few followers, in chunks that survive a crash for many."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from django_stream.database.deadlocks import survives_deadlocks
from django_stream.server.conf import server_settings
from django_stream.server.fanout.queue import enqueue
from django_stream.server.feed_store import database, lock
from django_stream.server.models import Feed, Follow, Spread
from django_stream.server.timelines import timelines


def placed(changed: Collection[tuple[int, uuid.UUID]], *, forwarded: bool = True) -> None:
    """Bring new placements to their feeds and, if forwarded, to the followers."""
    feeds, keys = {feed for feed, _ in changed}, {key for _, key in changed}
    large = _large(feeds) if forwarded else set()
    timelines().placed(feeds - large, keys, own_only=not forwarded)
    timelines().placed(large, keys, own_only=True)
    _begin(large, keys, Spread.Change.PLACED)


def withdrawn(feeds: Collection[int], keys: Collection[uuid.UUID]) -> None:
    """Take deleted placements off the feeds and their followers, and heed new exclusions."""
    large = _large(feeds)
    timelines().withdrawn(set(feeds) - large, keys)
    timelines().withdrawn(large, keys, own_only=True)
    _begin(large, keys, Spread.Change.WITHDRAWN)


def edited(feeds: Collection[int], keys: Collection[uuid.UUID]) -> None:
    """Regroup and count anew what has other actors or group names on the feeds and their followers."""
    large = _large(feeds)
    timelines().edited(set(feeds) - large, keys)
    timelines().edited(large, keys, own_only=True)
    _begin(large, keys, Spread.Change.EDITED)


def run(spread_id: int) -> None:
    """Work a large fan-out off, a chunk a transaction. May be called again at any time, by anyone."""
    while _chunk(spread_id):
        pass


def resume(idle_seconds: float) -> int:
    """Work off what a killed worker left behind; how many fan-outs that were."""
    cutoff = timezone.now() - timedelta(seconds=idle_seconds)
    left = list(Spread.objects.using(database()).filter(touched_at__lte=cutoff).values_list("pk", flat=True))
    for spread_id in left:
        run(spread_id)
    return len(left)


def _large(feeds: Collection[int]) -> set[int]:
    """The feeds with more followers, present and past, than one transaction should serve."""
    most = server_settings.FANOUT_INLINE_MAX
    rows = Follow.objects.using(database()).order_by("id")
    return {feed for feed in feeds if rows.filter(target=feed).values("pk")[most : most + 1].exists()}


def _begin(feeds: Collection[int], keys: Collection[uuid.UUID], change: Spread.Change) -> None:
    for feed in feeds:
        spread = Spread.objects.using(database()).create(
            feed=feed, keys=[str(key) for key in keys], change=change, touched_at=timezone.now()
        )
        transaction.on_commit(partial(enqueue, spread.pk), using=database(), robust=True)


@survives_deadlocks
def _chunk(spread_id: int) -> bool:
    """Serve the next followers; False when there are none left.

    The feed's lock keeps follows, unfollows and other writers of this feed out meanwhile: the
    chunk acts on the record as it is now, so neither order nor repetition matters.
    """
    with transaction.atomic(using=database()):
        spread = Spread.objects.using(database()).filter(pk=spread_id).first()
        if spread is None:
            return False
        lock(Feed.objects.using(database()).filter(pk=spread.feed))
        spread = Spread.objects.using(database()).select_for_update().filter(pk=spread_id).first()
        if spread is None:
            return False
        after = spread.position
        follows = Follow.objects.using(database()).filter(target=spread.feed, id__gt=after).order_by("id")
        last = server_settings.FANOUT_CHUNK - 1
        up_to = follows.values_list("id", flat=True)[last : last + 1].first()
        if up_to is None:
            up_to = follows.aggregate(last=Max("id"))["last"]
        if up_to is None:
            spread.delete()
            return False
        keys = [uuid.UUID(key) for key in spread.keys]
        timelines().spread_part(spread.feed, keys, after, up_to, Spread.Change(spread.change))
        spread.position, spread.touched_at = up_to, timezone.now()
        spread.save(update_fields=["position", "touched_at"])
        return True
