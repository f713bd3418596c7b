"""Users are created, changed and deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_stream.server.actions import audit
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import StreamUser
from django_stream.server.validation import conflicting, missing


def create(
    application_id: int, user_id: str, data: Mapping[str, Any], *, get_or_create: bool = False
) -> StreamUser:
    """A new user; an existing one is a conflict or, with get_or_create, the answer."""
    ensure_application(application_id)
    with transaction.atomic(using=database()):
        found, created = StreamUser.objects.using(database()).get_or_create(
            application_id=application_id, user_id=user_id, defaults=_fresh(data)
        )
        if created:
            audit.changed(application_id, "user", [user_id], "create", user_id=user_id)
        elif not get_or_create:
            raise conflicting("user", user_id)
    return found


def update(application_id: int, user_id: str, data: Mapping[str, Any]) -> StreamUser:
    """Replace a user's data."""
    with transaction.atomic(using=database()):
        rows = StreamUser.objects.using(database()).filter(application_id=application_id, user_id=user_id)
        if not rows.update(data=dict(data), updated_at=timezone.now()):
            raise missing("user", user_id)
        audit.changed(application_id, "user", [user_id], "update", user_id=user_id)
        return rows.get()


def delete(application_id: int, user_ids: Collection[str]) -> int:
    """Delete users; how many existed. Their reactions stay, told by their id alone."""
    with transaction.atomic(using=database()):
        rows = StreamUser.objects.using(database()).filter(
            application_id=application_id, user_id__in=user_ids
        )
        gone = list(rows.select_for_update().order_by("user_id").values_list("user_id", flat=True))
        rows.filter(user_id__in=gone).delete()
        audit.changed(application_id, "user", gone, "delete")
    return len(gone)


def create_many(
    application_id: int, users: Mapping[str, Mapping[str, Any]], *, override: bool = False
) -> list[StreamUser]:
    """Create those that are missing and, with override, replace the data of the others."""
    ensure_application(application_id)
    with transaction.atomic(using=database()):
        rows = [
            StreamUser(application_id=application_id, user_id=user_id, **_fresh(users[user_id]))
            for user_id in sorted(users)
        ]
        StreamUser.objects.using(database()).bulk_create(
            rows,
            ignore_conflicts=not override,
            update_conflicts=override,
            unique_fields=["application", "user_id"] if override else None,
            update_fields=["data", "updated_at"] if override else None,
        )
        audit.changed(application_id, "user", users, "create")
    stored = StreamUser.objects.using(database()).filter(application_id=application_id, user_id__in=users)
    found = {user.user_id: user for user in stored}
    return [found[user_id] for user_id in users if user_id in found]


def _fresh(data: Mapping[str, Any]) -> dict[str, Any]:
    now = timezone.now()
    return {"data": dict(data), "created_at": now, "updated_at": now}
