"""Counts of reactions change with the write that makes them change, in one statement each."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from django_stream.database.statements import Database
from django_stream.server.feed_store import database
from django_stream.server.models import ChildCount, Reaction, ReactionCount, ReactionCountChange

# For so long ranked feeds are paged by the counts of when their reader began.
_CHANGES_KEPT = timedelta(days=1)


def note(reactions: Iterable[Reaction], step: int) -> None:
    """Reactions that were counted do not count any more (`step` is -1), or again (1)."""
    now = timezone.now()
    changes = [
        ReactionCountChange(
            application_id=row.application_id,
            activity=row.activity,
            kind=row.kind,
            reaction=row.pk,
            step=step,
            changed_at=now,
        )
        for row in reactions
        if row.parent_id is None
    ]
    ReactionCountChange.objects.using(database()).bulk_create(changes)


def prune() -> None:
    """Forget changes that are long past."""
    old = ReactionCountChange.objects.using(database()).filter(changed_at__lt=timezone.now() - _CHANGES_KEPT)
    old.delete()


def change(reactions: Iterable[Reaction], by: int) -> None:
    """Add these reactions to the counts (`by` is 1) or take them out (-1).

    The last thing a transaction does: everybody who reacts to the same activity waits for it.
    """
    counters = Database.to_write(Reaction)
    of_activities: Counter[tuple[int, uuid.UUID, str]] = Counter()
    of_parents: Counter[tuple[int, str]] = Counter()
    for row in reactions:
        if row.parent_id is None:
            of_activities[row.application_id, row.activity, row.kind] += by
        else:
            of_parents[row.parent_id, row.kind] += by
    # In one order for everybody, so that two transactions never wait for each other.
    for (parent, kind), step in sorted(of_parents.items()):
        counters.add_to_counter(ChildCount, {"parent_id": parent, "kind": kind}, "count", step)
    for (application_id, activity, kind), step in sorted(of_activities.items()):
        key = {"application_id": application_id, "activity": activity, "kind": kind}
        counters.add_to_counter(ReactionCount, key, "count", step)
