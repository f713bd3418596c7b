"""Rows as the objects of the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from django_stream.protocol.times import format_rfc3339
from django_stream.server.activity_rows import ActivityRow, id_text, time_text
from django_stream.server.models import Activity, AuditLog, Follow, ModerationFlag
from django_stream.server.timelines import ActivityGroupRow


def activity(row: Activity | ActivityRow) -> dict[str, Any]:
    """An activity, without duration; `to` is absent when empty."""
    key, origin = (row.hex, row.origin) if isinstance(row, ActivityRow) else (row.key.hex, None)
    shape: dict[str, Any] = {
        **row.extra,
        "id": id_text(key),
        "actor": row.actor,
        "verb": row.verb,
        "object": row.object,
        "target": row.target,
        "foreign_id": row.foreign_id,
        "origin": origin,
        "time": time_text(key),
    }
    if to := row.to:
        shape["to"] = list(to)
    if row.is_erased:
        shape["is_deleted"] = True
    return shape


def activity_group(
    group: ActivityGroupRow, group_id: str, activities: list[dict[str, Any]], *, marked: bool
) -> dict[str, Any]:
    """A group of an aggregated feed; on notification feeds with its marks."""
    shape = {
        "id": group_id,
        "group": group.name,
        "verb": activities[0]["verb"] if activities else "",
        "activities": activities,
        "activity_count": group.activity_count,
        "actor_count": group.actor_count,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    }
    if marked:
        shape["is_seen"], shape["is_read"] = group.is_seen, group.is_read
    return shape


def follow(row: Follow) -> dict[str, Any]:
    moment = rfc3339(row.created_at)
    return {
        "feed_id": str(row.source.feed_id),
        "target_id": str(row.target.feed_id),
        "created_at": moment,
        "updated_at": moment,
    }


def audit_log(row: AuditLog) -> dict[str, Any]:
    return {
        "entity_type": row.entity_type,
        "entity_id": row.entity_id,
        "action": row.action,
        "user_id": row.user_id,
        "custom": row.custom,
        "created_at": rfc3339(row.created_at),
    }


def flag(row: ModerationFlag) -> dict[str, Any]:
    return {
        "flag_id": str(row.pk),
        "entity_type": row.entity_type,
        "entity_id": row.entity_id,
        "user_id": row.user_id,
        "reason": row.reason,
        "created_at": rfc3339(row.created_at),
    }


def rfc3339(moment: datetime) -> str:
    return format_rfc3339(aware(moment))


def aware(moment: datetime) -> datetime:
    """A time from the database, which is naive local time where USE_TZ is False."""
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
