"""The audit log: events as `audit_logs/` tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import get_args

from django.utils import timezone

from django_stream.database.bulk_sql import insert_rows
from django_stream.server.conf import server_settings
from django_stream.server.events.event import Event, Kind
from django_stream.server.feed_store import database
from django_stream.server.models import AuditLog
from django_stream.server.validation import TEXT_LENGTH

ENTITY_TYPES = frozenset({*get_args(Kind), "feed"} - {"follow"})


class AuditLogReader:
    """Writes every event down, where the settings say so."""

    def wants_events(self) -> bool:
        """Whether the audit log is switched on."""
        return bool(server_settings.AUDIT_LOG)

    def read(self, events: Sequence[Event]) -> None:
        """Write the entries of these events in one statement."""
        insert_rows([_entry(event) for event in events], database())


def _entry(event: Event) -> AuditLog:
    return AuditLog(
        application_id=event.application_id,
        # On the wire a follow is something that happened to the feed that follows.
        entity_type="feed" if event.kind == "follow" else event.kind,
        entity_id=event.object_id,
        action=event.action,
        user_id=event.user_id[:TEXT_LENGTH],
        custom=dict(event.details),
    )


def prune() -> int:
    """Delete entries that are older than STREAM_SERVER_AUDIT_LOG_DAYS; returns how many there were."""
    oldest = timezone.now() - timedelta(days=server_settings.AUDIT_LOG_DAYS)
    return AuditLog.objects.using(database()).filter(created_at__lt=oldest).delete()[0]
