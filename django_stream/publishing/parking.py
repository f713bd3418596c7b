"""Parked changes: given up for now, with their reasons, until somebody retries them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.publishing.models import OutboxEntry


def parked(using: str = "default") -> QuerySet[OutboxEntry]:
    return OutboxEntry.objects.using(using).exclude(parked_at=None)


@retry_on_deadlock
def retry_parked(using: str = "default", entries: QuerySet[OutboxEntry] | None = None) -> int:
    """Make parked entries due again, with all their attempts; returns how many."""
    rows = parked(using) if entries is None else entries.exclude(parked_at=None)
    return rows.update(parked_at=None, attempts=0, due_at=timezone.now())
