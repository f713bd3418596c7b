"""Moderation: reports of users, decisions of moderators."""

from __future__ import annotations

from typing import Any

from django_stream.protocol.errors import ApiError, invalid
from django_stream.server.actions import moderation
from django_stream.server.actions.moderation import KINDS
from django_stream.server.activity_input import text_of
from django_stream.server.reads import serializers
from django_stream.server.requests import Body, Call, batch
from django_stream.server.validation import data_of

BATCH = 100
_DECISION = ("status", "recommended_action", "latest_moderator_action")


def flag(call: Call) -> Body:
    """Report something to the operator."""
    fields = call.fields()
    entity_type, entity_id = _entity(fields)
    stored = moderation.flag(
        call.application_id,
        {
            "entity_type": entity_type,
            "entity_id": entity_id,
            "user_id": _required(fields, "user_id"),
            "reason": text_of(fields, "reason"),
            "custom": data_of(fields.get("custom"), "custom"),
        },
    )
    return serializers.flag(stored)


def status(call: Call) -> Body:
    """Store a moderator's decision."""
    fields = call.fields()
    _decide(call, fields, _required(fields, "moderator_id"))
    return {}


def status_batch(call: Call) -> Body:
    """Store many decisions of one moderator."""
    fields = call.fields()
    moderator = _required(fields, "moderator_id")
    updates = batch(fields.get("updates"), "updates", BATCH)
    return {"results": [_outcome(call, update, moderator) for update in updates]}


def forget_user(call: Call) -> Body:
    """Forget what is cached about a user: nothing is, and clients make the call all the same."""
    return {}


def _outcome(call: Call, update: Any, moderator: str) -> dict[str, Any]:
    """One update of a batch fails alone."""
    fields = update if isinstance(update, dict) else {}
    error = ""
    try:
        _decide(call, fields, moderator)
    except ApiError as refusal:
        error = refusal.detail
    return {
        "entity_id": _told(fields, "entity_id"),
        "entity_type": _told(fields, "entity_type"),
        "success": not error,
        "error": error,
    }


def _told(fields: dict[str, Any], name: str) -> str:
    """The field as it was given, if it is what it should be."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _decide(call: Call, fields: dict[str, Any], moderator: str) -> None:
    entity_type, entity_id = _entity(fields)
    decision = {name: text_of(fields, name) for name in _DECISION}
    decision["moderator_id"] = moderator
    moderation.set_status(call.application_id, entity_type, entity_id, decision)


def _entity(fields: dict[str, Any]) -> tuple[str, str]:
    entity_type = _required(fields, "entity_type")
    if entity_type not in KINDS:
        raise invalid(f"entity_type must be one of {', '.join(KINDS)}", "entity_type")
    return entity_type, _required(fields, "entity_id")


def _required(fields: dict[str, Any], name: str) -> str:
    text = text_of(fields, name)
    if not text:
        raise invalid(f"{name} is required", name)
    return text
