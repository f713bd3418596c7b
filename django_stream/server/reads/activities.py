"""Activities by id or foreign_id, and for the pages of feeds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import router
from django.db.models import Exists, OuterRef, Q

from django_stream.database.bulk_sql import is_filled
from django_stream.protocol.references import user_reference
from django_stream.server import activity_rows
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, Exclusion, Follow, Placement


def in_order(application_id: int, keys: Sequence[uuid.UUID]) -> list[ActivityRow]:
    """The activities with these sort keys that exist and are not erased, in the order of the keys."""
    found = activity_rows.by_key(application_id, set(keys))
    return [found[key] for key in dict.fromkeys(keys) if key in found and not found[key].is_erased]


def keys_of_actor(application_id: int, user_id: str, before: uuid.UUID | None, most: int) -> list[uuid.UUID]:
    """Sort keys of what a user did, newest first; the actor may be its id or a reference."""
    rows = Activity.objects.using(router.db_for_read(Activity)).filter(application_id=application_id)
    if before is not None:
        rows = rows.filter(key__lt=before)
    found: list[uuid.UUID] = []
    for actor in (user_id, user_reference(user_id)):
        # One by one: together, databases would read and sort all that there is.
        found += rows.filter(actor=actor).order_by("-key").values_list("key", flat=True)[:most]
    return sorted(found, reverse=True)[:most]


def keys_of_foreign_id(
    application_id: int, foreign_id: str, feed: int, *, most: int, before: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """Keys of activities with this foreign_id that are seen on a feed (the number of its row), newest first.

    Anybody may have posted any number of others with the same foreign_id to feeds of their own. It is read
    where it is written: a replica may not have yet what is about to be removed.
    """
    same = Activity.objects.using(database()).filter(
        is_filled("foreign_id"), application_id=application_id, foreign_id=foreign_id
    )
    there = Placement.objects.using(database()).filter(key=OuterRef("key"))
    follows = Follow.objects.using(database()).filter(source=feed)
    admitting = follows.filter(
        Q(since_seq__lt=OuterRef("seq")) | Q(floor_key__lte=OuterRef("key")), target=OuterRef("feed")
    )
    # Apart: of the open follows, an index has that of the pair, however many either of the feeds has.
    still, once = admitting.filter(until_seq=None), admitting.filter(until_seq__gte=OuterRef("seq"))
    ended = follows.filter(until_seq__isnull=False).values("target")
    followed = there.filter(Exists(still) | (Q(feed__in=ended) & Exists(once)), seq__isnull=False)
    hidden = Exclusion.objects.using(database()).filter(feed=feed, key=OuterRef("key"))
    found = same.filter(Exists(there.filter(feed=feed)) | (Exists(followed) & ~Exists(hidden)))
    if before is not None:
        found = found.filter(key__lt=before)
    return list(found.order_by("-key").values_list("key", flat=True)[:most])
