"""How the outbox is doing: what a monitor asks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from django_stream.publishing.models import OutboxEntry


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """Entries waiting, the age of the oldest in seconds, entries that failed before, entries parked."""

    depth: int
    oldest_seconds: float
    retrying: int
    parked: int


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The entries of one model, and the last reason why some of them wait."""

    label: str
    waiting: int
    parked: int
    reason: str


def status_by_model(using: str = "default") -> list[ModelStatus]:
    """The models that something waits or is parked of."""
    waiting = Q(parked_at=None)
    rows = (
        OutboxEntry.objects.using(using)
        .values("model_label")
        .annotate(waiting=Count("pk", filter=waiting), parked=Count("pk", filter=~waiting), why=Max("reason"))
        .order_by("model_label")
    )
    return [ModelStatus(row["model_label"], row["waiting"], row["parked"], row["why"]) for row in rows]


def outbox_status(using: str = "default") -> OutboxStatus:
    """One query."""
    waiting = Q(parked_at=None)
    found = OutboxEntry.objects.using(using).aggregate(
        depth=Count("pk", filter=waiting),
        oldest=Min("created_at", filter=waiting),
        retrying=Count("pk", filter=waiting & ~Q(reason="")),
        parked=Count("pk", filter=~waiting),
    )
    oldest = found.pop("oldest")
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return OutboxStatus(oldest_seconds=max(age, 0.0), **found)
