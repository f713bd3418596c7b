"""Placements that are not brought to the flat feeds of very many followers, but found when these are read.

Which ones is decided placement by placement, under the lock of their feed, and never again: when a feed comes
to have so many followers, or has them no more, nothing is moved. One that is found is so by each follow that
began before it. What a follow copied of the past is in the timeline as ever.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import models

from django_stream.database.bulk_sql import among
from django_stream.database.conditions import equal, one_of
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database
from django_stream.server.models import Feed, Placement, PulledFeed, PulledPlacement
from django_stream.server.timelines import group_changes
from django_stream.server.timelines.admission import with_more_followers
from django_stream.server.timelines.tables import ADMITS, FOLLOW, PLACEMENT, PULLED

# Of a placement `p` and a follow `f`.
_PULLS = (
    f"EXISTS (SELECT 1 FROM {PULLED} x WHERE x.feed = p.feed_id AND x.key = p.key "
    "AND x.seq = p.seq AND x.seq > f.since_seq)"
)


def is_in_use() -> bool:
    """Whether any placement may be one of these."""
    return server_settings.PUSH_FOLLOWERS_MAX is not None


def pushed() -> Fragment:
    """That a placement `p` is brought by a follow `f`, and not found, after an AND."""
    if not is_in_use():
        return Fragment("")
    grouped = group_changes.of_grouped("f.source_id")
    return Fragment(f" AND (NOT {_PULLS} OR (1 = 1{grouped.text}))", grouped.params)


def placed(changed: Collection[tuple[int, uuid.UUID]]) -> set[int]:
    """Decide for placements that were just made, of which the feeds are locked.

    Returns the feeds of which no follower is brought any of them.
    """
    feeds = {feed for feed, _ in changed}
    known = {one.feed: one for one in _of(PulledFeed).filter(among("feed", feeds, database()))}
    open_ones = {feed: one for feed, one in known.items() if one.is_open}
    noted = _note(open_ones, {key for feed, key in changed if feed in open_ones}) if open_ones else set()
    _open_and_close(feeds, known)
    if group_changes.is_any_grouped():
        return set()
    return feeds - {feed for feed, key in changed if (feed, key) not in noted}


def _of(model: type[models.Model]) -> Any:
    return model._default_manager.using(database())


def _note(feeds: Mapping[int, PulledFeed], keys: Collection[uuid.UUID]) -> set[tuple[int, uuid.UUID]]:
    rows = _of(Placement).filter(among("feed", feeds, database()), key__in=keys, seq__isnull=False)
    found: list[PulledPlacement] = []
    for feed, seq, key in rows.order_by("seq").values_list("feed_id", "seq", "key"):
        head = feeds[feed]
        if seq > head.newest_seq and (head.newest_key is None or key > head.newest_key):
            head.newest_seq, head.newest_key = seq, key
            found.append(PulledPlacement(feed=feed, seq=seq, key=key))
    # One that is there already is of a former placement, and says nothing of this one.
    _of(PulledPlacement).bulk_create(found, ignore_conflicts=True)
    for feed in {one.feed for one in found}:
        feeds[feed].save(using=database(), update_fields=["newest_seq", "newest_key"])
    there = _of(PulledPlacement).filter(among("feed", feeds, database()), key__in=keys)
    numbers = {(one.feed, one.key): one.seq for one in found}
    rows = there.values_list("feed", "key", "seq")
    return {(feed, key) for feed, key, seq in rows if numbers.get((feed, key)) == seq}


def _open_and_close(feeds: Collection[int], known: Mapping[int, PulledFeed]) -> None:
    """From the next placement on. Half as many followers close it, so that nobody changes sides each time."""
    most = server_settings.PUSH_FOLLOWERS_MAX or 0
    closed = {feed for feed in feeds if feed not in known or not known[feed].is_open}
    crossing = with_more_followers(closed, most)
    # What is there was brought: it may be posted again, and is no later placement for that.
    for feed, version in _of(Feed).filter(pk__in=crossing).order_by("pk").values_list("pk", "version"):
        _of(PulledFeed).update_or_create(feed=feed, defaults={"is_open": True, "newest_seq": version})
    if still_open := set(feeds) - closed:
        left = still_open - with_more_followers(still_open, most // 2)
        _of(PulledFeed).filter(among("feed", left, database())).update(is_open=False)


def withdrawn(store: Database, feeds: Collection[int], keys: Collection[uuid.UUID]) -> None:
    """Placements of these keys on these feeds were deleted."""
    if is_in_use():
        chosen = store.where(one_of("feed", feeds), one_of("key", keys, uuids=True))
        store.execute(f"DELETE FROM {PULLED} WHERE {chosen.text} AND {_IS_GONE}", chosen.params)


def rebuilt(store: Database, feed: int) -> None:
    """Drop what is noted of a feed, and is not so any more."""
    if is_in_use():
        store.execute(f"DELETE FROM {PULLED} WHERE feed = %s AND {_IS_GONE}", [feed])


_IS_GONE = (
    f"NOT EXISTS (SELECT 1 FROM {PLACEMENT} p "
    f"WHERE p.feed_id = {PULLED}.feed AND p.key = {PULLED}.key AND p.seq = {PULLED}.seq)"
)


def ways(store: Database, feed: int, key: uuid.UUID) -> list[int]:
    """The followed feeds on which a feed finds an activity, as far as it is not in its timeline."""
    if not is_in_use():
        return []
    source = f"{PULLED} x JOIN {PLACEMENT} p ON p.feed_id = x.feed AND p.key = x.key AND p.seq = x.seq"
    rule = Fragment(f"x.seq > f.since_seq AND {ADMITS}")
    chosen = equal("x.key", key), equal("f.source_id", feed), rule
    found = store.select(f"{source} JOIN {FOLLOW} f ON f.target_id = x.feed", ["x.feed"], *chosen)
    return [via for (via,) in found]


def forget(store: Database, feed: int) -> None:
    """Delete all that is noted of a feed."""
    for model in (PulledPlacement, PulledFeed):
        store.delete(model, equal("feed", feed))


def prune(store: Database) -> None:
    """Drop what is noted of placements and feeds that are gone."""
    store.execute(f"DELETE FROM {PULLED} WHERE {_IS_GONE}")
    there = Feed.objects.filter(pk=models.OuterRef("feed"))
    _of(PulledFeed).filter(~models.Exists(there)).delete()
