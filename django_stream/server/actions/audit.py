"""Changes are written down, in the transaction that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, AuditLog


def activities_changed(action: str, activities: Iterable[Activity], user_id: str = "") -> None:
    """Log a change of activities; unless said otherwise, their actors made it."""
    if server_settings.AUDIT_LOG:
        _write(
            AuditLog(
                application_id=activity.application_id,
                entity_type="activity",
                entity_id=str(activity.activity_id),
                action=action,
                user_id=user_id or activity.actor.removeprefix("SU:"),
            )
            for activity in activities
        )


def changed(
    application_id: int,
    entity_type: str,
    entity_ids: Iterable[str],
    action: str,
    *,
    user_id: str = "",
    custom: dict[str, Any] | None = None,
) -> None:
    """Log the same change of several entities of one kind."""
    if server_settings.AUDIT_LOG:
        _write(
            AuditLog(
                application_id=application_id,
                entity_type=entity_type,
                entity_id=entity_id,
                action=action,
                user_id=user_id,
                custom=custom or {},
            )
            for entity_id in entity_ids
        )


def prune() -> int:
    """Delete entries past their time; how many there were."""
    oldest = timezone.now() - timedelta(days=server_settings.AUDIT_LOG_DAYS)
    return AuditLog.objects.using(database()).filter(created_at__lt=oldest).delete()[0]


def _write(entries: Iterable[AuditLog]) -> None:
    AuditLog.objects.using(database()).bulk_create(entries)
