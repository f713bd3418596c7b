"""Reports of users and decisions of moderators are kept for the operator."""

from __future__ import annotations

from typing import Any

from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import ModerationFlag, ModerationStatus


def flag(application_id: int, fields: dict[str, Any]) -> ModerationFlag:
    """Store a report."""
    ensure_application(application_id)
    return ModerationFlag.objects.using(database()).create(application_id=application_id, **fields)


def set_status(application_id: int, entity_type: str, entity_id: str, decision: dict[str, str]) -> None:
    """Store the latest decision about an entity."""
    ensure_application(application_id)
    ModerationStatus.objects.using(database()).update_or_create(
        application_id=application_id, entity_type=entity_type, entity_id=entity_id, defaults=decision
    )
