"""Activities by id or foreign_id, and for the pages of feeds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django_stream.database.transactions import database_to_read
from django_stream.protocol.references import user_reference
from django_stream.server import activity_rows
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import Activity


def in_order(application_id: int, keys: Sequence[uuid.UUID]) -> list[ActivityRow]:
    """The activities with these sort keys that exist and are not erased, in the order of the keys."""
    found = activity_rows.by_key(application_id, set(keys))
    return [found[key] for key in dict.fromkeys(keys) if key in found and not found[key].is_erased]


def keys_of_actor(application_id: int, user_id: str, before: uuid.UUID | None, most: int) -> list[uuid.UUID]:
    """Sort keys of what a user did, newest first; the actor may be its id or a reference."""
    rows = Activity.objects.using(database_to_read(Activity)).filter(application_id=application_id)
    if before is not None:
        rows = rows.filter(key__lt=before)
    found: list[uuid.UUID] = []
    for actor in (user_id, user_reference(user_id)):
        # One by one: together, databases would read and sort all that there is.
        found += rows.filter(actor=actor).order_by("-key").values_list("key", flat=True)[:most]
    return sorted(found, reverse=True)[:most]
