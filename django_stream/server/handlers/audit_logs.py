"""Audit logs."""

from __future__ import annotations

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server.reads import audit, serializers
from django_stream.server.requests import Body, Call


def read(call: Call) -> Body:
    """Read a page of the audit log: of one entity, of one user, or both."""
    names = ("entity_type", "entity_id", "user_id")
    wanted = {name: call.parameters.text(name) for name in names if call.parameters.text(name)}
    if "user_id" not in wanted and not {"entity_type", "entity_id"} <= set(wanted):
        raise invalid("entity_type with entity_id, or user_id, is required", "entity_id")
    page = audit.page(
        call.application_id,
        wanted,
        call.parameters.number("limit", limits.PAGE_DEFAULT, least=1, most=limits.PAGE_MAX),
        call.parameters.number("next", 0),
        call.parameters.number("prev", 0),
    )
    return {
        "audit_logs": [serializers.audit_log(entry) for entry in page.entries],
        "next": page.next,
        "prev": page.prev,
    }
