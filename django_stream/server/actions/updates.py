"""Activities are replaced in place, on all feeds at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from django_stream.protocol.errors import invalid
from django_stream.server.actions import activities
from django_stream.server.activity_input import ActivityInput
from django_stream.server.events.event import fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database, ensure_application


def replace(application_id: int, new_activities: Sequence[ActivityInput]) -> None:
    """Replace activities by their (foreign_id, time), or create them on no feed; `to` must not change."""
    ensure_application(application_id)
    wanted = {one.key: one for one in activities.each_once(new_activities)}
    with transaction.atomic(using=database()):
        known = activities.lock(application_id, list(wanted))
        for new_activity in new_activities:
            before = known.get(new_activity.key) or wanted[new_activity.key]
            if new_activity.to and set(new_activity.to) != set(before.to):
                raise invalid("'to' cannot change in an update; use activity_to_targets", "to")
        former = {key: fields_of(activity) for key, activity in known.items()}
        stored = activities.upsert(application_id, list(wanted.values())).stored
        record(
            activities.event(activity, "update" if key in former else "create", before=former.get(key))
            for key, activity in stored.items()
        )
