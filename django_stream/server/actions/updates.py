"""Activities are replaced in place, on all feeds at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from django_stream.protocol.errors import invalid
from django_stream.server.actions import activities, audit
from django_stream.server.activity_input import Draft
from django_stream.server.feed_store import database


def replace(application_id: int, drafts: Sequence[Draft]) -> None:
    """Replace activities by their (foreign_id, time), or create them on no feed; `to` must not change."""
    with transaction.atomic(using=database()):
        known = activities.lock(application_id, [draft.key for draft in drafts])
        for draft in drafts:
            before = known.get(draft.key)
            if before is not None and draft.to and set(draft.to) != set(before.to):
                raise invalid("'to' cannot change in an update; use activity_to_targets", "to")
        audit.activities_changed("update", activities.upsert(application_id, drafts).values())
