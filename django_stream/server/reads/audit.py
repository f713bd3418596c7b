"""Pages of the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from django_stream.database.transactions import database_to_read
from django_stream.server.models import AuditLog


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first, with the cursors of the pages around."""

    entries: list[AuditLog]
    next: str
    prev: str


def page(application_id: int, wanted: dict[str, str], limit: int, after: int, before: int) -> AuditPage:
    """Entries older than `after` (a `next` cursor) or newer than `before` (a `prev` cursor)."""
    rows = AuditLog.objects.using(database_to_read(AuditLog)).filter(application_id=application_id, **wanted)
    if before:
        found = list(rows.filter(id__gt=before).order_by("id")[: limit + 1])
        entries = found[:limit][::-1]
        newer, older = len(found) > limit, True
    else:
        found = list((rows.filter(id__lt=after) if after else rows).order_by("-id")[: limit + 1])
        entries = found[:limit]
        newer, older = bool(after), len(found) > limit
    return AuditPage(
        entries,
        next=str(entries[-1].pk) if entries and older else "",
        prev=str(entries[0].pk) if entries and newer else "",
    )
