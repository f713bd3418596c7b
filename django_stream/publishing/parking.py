"""Parked changes: given up for now, with their reasons, until somebody retries them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.publishing.models import OutboxEntry, never


def parked(using: str = "default") -> QuerySet[OutboxEntry]:
    return OutboxEntry.objects.using(using).exclude(parked_at=None)


@retry_on_deadlock
def park(entries: QuerySet[OutboxEntry], reason: str) -> int:
    """Try waiting entries no longer, until somebody retries them; returns how many."""
    waiting = entries.filter(parked_at=None)
    return waiting.update(parked_at=timezone.now(), due_at=never(), reason=reason)


@retry_on_deadlock
def discard(entries: QuerySet[OutboxEntry], before: datetime) -> int:
    """Forget parked entries since before a moment: their objects are looked at again when they change."""
    count, _ = entries.filter(parked_at__lt=before).delete()
    return count


@retry_on_deadlock
def retry_parked(using: str = "default", entries: QuerySet[OutboxEntry] | None = None) -> int:
    """Make parked entries due again, with all their attempts; returns how many."""
    rows = parked(using) if entries is None else entries.exclude(parked_at=None)
    return rows.update(parked_at=None, attempts=0, due_at=timezone.now())
