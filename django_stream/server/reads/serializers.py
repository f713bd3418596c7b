"""Rows as the objects of the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from django_stream.protocol import wire
from django_stream.protocol.times import format_rfc3339
from django_stream.server.activity_rows import ActivityRow, id_text, time_text
from django_stream.server.models import Activity, AuditLog, Follow, ModerationFlag
from django_stream.server.timelines import ActivityGroupRow


def activity(row: Activity | ActivityRow) -> wire.Activity:
    """An activity with its custom fields; `to` is absent when empty."""
    key, origin = (row.hex, row.origin) if isinstance(row, ActivityRow) else (row.key.hex, None)
    known: wire.Activity = {
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
        known["to"] = list(to)
    if row.is_erased:
        known["is_deleted"] = True
    return wire.with_custom_fields(known, row.extra)


def activity_group(
    group: ActivityGroupRow, group_id: str, activities: Sequence[wire.Activity | wire.EnrichedActivity]
) -> wire.ActivityGroup[str]:
    """A group of an aggregated feed, with its activities as serialised or enriched."""
    return {
        "id": group_id,
        "group": group.name,
        "verb": activities[0]["verb"] if activities else "",
        "activities": activities,
        "activity_count": group.activity_count,
        "actor_count": group.actor_count,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    }


def notification_group(
    group: ActivityGroupRow, group_id: str, activities: Sequence[wire.Activity | wire.EnrichedActivity]
) -> wire.NotificationGroup[str]:
    """A group of a notification feed: likewise, with its marks."""
    unmarked = activity_group(group, group_id, activities)
    return {**unmarked, "is_seen": group.is_seen, "is_read": group.is_read}


def follow(row: Follow) -> wire.Follow[str]:
    moment = rfc3339(row.created_at)
    return {
        "feed_id": str(row.source.feed_id),
        "target_id": str(row.target.feed_id),
        "created_at": moment,
        "updated_at": moment,
    }


def audit_log(row: AuditLog) -> wire.AuditLog[str]:
    return {
        "entity_type": row.entity_type,
        "entity_id": row.entity_id,
        "action": row.action,
        "user_id": row.user_id,
        "custom": row.custom,
        "created_at": rfc3339(row.created_at),
    }


def flag(row: ModerationFlag) -> wire.Flag[str]:
    return {
        "flag_id": str(row.pk),
        "entity_type": row.entity_type,
        "entity_id": row.entity_id,
        "user_id": row.user_id,
        "reason": row.reason,
        "created_at": rfc3339(row.created_at),
    }


def rfc3339(moment: datetime) -> str:
    """A time from the database as the wire has it."""
    return format_rfc3339(aware(moment))


def aware(moment: datetime) -> datetime:
    """A time from the database, which is naive local time where USE_TZ is False."""
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
