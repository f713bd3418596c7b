"""Reports of users and decisions of moderators are kept for the operator."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from django_stream.server.events.event import Event, Kind
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import ModerationFlag, ModerationStatus

KINDS: dict[str, Kind] = {
    "stream:user": "user",
    "stream:feeds:v2:activity": "activity",
    "stream:feeds:v2:reaction": "reaction",
}
"""What may be moderated, by the names of the wire."""


def flag(application_id: int, fields: dict[str, Any]) -> ModerationFlag:
    """Store a report. `fields` are those of `ModerationFlag`."""
    ensure_application(application_id)
    with transaction.atomic(using=database()):
        made = ModerationFlag.objects.using(database()).create(application_id=application_id, **fields)
        reason = {"reason": made.reason} if made.reason else {}
        record([_event(application_id, made.entity_type, made.entity_id, "flag", made.user_id, reason)])
    return made


def set_status(application_id: int, entity_type: str, entity_id: str, decision: dict[str, str]) -> None:
    """Store the latest decision about an entity. `decision` holds the other fields of `ModerationStatus`."""
    ensure_application(application_id)
    with transaction.atomic(using=database()):
        ModerationStatus.objects.using(database()).update_or_create(
            application_id=application_id, entity_type=entity_type, entity_id=entity_id, defaults=decision
        )
        details = {name: text for name, text in decision.items() if name != "moderator_id" and text}
        moderator = decision["moderator_id"]
        record([_event(application_id, entity_type, entity_id, "moderate", moderator, details)])


def _event(
    application_id: int, entity_type: str, entity_id: str, action: str, user_id: str, details: dict[str, str]
) -> Event:
    return Event(application_id, KINDS[entity_type], entity_id, action, on_behalf_of=user_id, details=details)
