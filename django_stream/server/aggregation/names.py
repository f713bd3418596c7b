"""The group names of an activity: rendered once for each grouped feed group, and kept with it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import router

from django_stream.server.activity_rows import ActivityRow, id_text, moment_of
from django_stream.server.aggregation.formats import group_name
from django_stream.server.feed_groups import groups_of
from django_stream.server.models import Activity


def names_of(activity: Activity) -> dict[str, str]:
    """{slug: group name} for every grouped feed group of the application."""
    grouped = [group for group in groups_of(activity.application_id).values() if group.grouped]
    if not grouped:
        return {}
    fields = fields_of(activity)
    return {group.slug: group_name(group.aggregation_format, fields) for group in grouped}


def fields_of(activity: Activity | ActivityRow) -> Mapping[str, Any]:
    """What a format may name."""
    key = activity.hex if isinstance(activity, ActivityRow) else activity.key.hex
    return {
        **activity.extra,
        "id": id_text(key),
        "actor": activity.actor,
        "verb": activity.verb,
        "object": activity.object,
        "target": activity.target,
        "foreign_id": activity.foreign_id,
        "time": moment_of(key),
    }


def name_older(application_id: int, slug: str, keys: Collection[uuid.UUID]) -> None:
    """Name the groups of those activities that are older than the declaration of a feed group."""
    database = router.db_for_write(Activity)
    rows = Activity.objects.using(database).select_for_update().order_by("key")
    for activity in rows.filter(application_id=application_id, key__in=keys):
        if slug not in activity.group_names:
            activity.group_names = names_of(activity) | activity.group_names
            activity.save(using=database, update_fields=["group_names"])
