"""Users are created, changed and deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_stream.database.bulk_sql import conflicts_on
from django_stream.server.events.event import Event, fields_of
from django_stream.server.events.recording import record
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
            application_id=application_id, user_id=user_id, defaults=_new_fields(data, timezone.now())
        )
        if created:
            record([_event(found, "create", on_behalf_of=user_id)])
        elif not get_or_create:
            raise conflicting("user", user_id)
    return found


def update(application_id: int, user_id: str, data: Mapping[str, Any]) -> StreamUser:
    """Replace a user's data."""
    with transaction.atomic(using=database()):
        rows = StreamUser.objects.using(database()).filter(application_id=application_id, user_id=user_id)
        user = rows.select_for_update().first()
        if user is None:
            raise missing("user", user_id)
        before = fields_of(user)
        user.data, user.updated_at = dict(data), timezone.now()
        user.save(using=database(), update_fields=["data", "updated_at"])
        record([_event(user, "update", on_behalf_of=user_id, before=before)])
    return user


def delete(application_id: int, user_ids: Collection[str]) -> int:
    """Delete users; how many existed. Their reactions stay, and name them by their id alone."""
    with transaction.atomic(using=database()):
        rows = StreamUser.objects.using(database()).filter(
            application_id=application_id, user_id__in=user_ids
        )
        gone = list(rows.select_for_update().order_by("user_id"))
        rows.filter(user_id__in=[user.user_id for user in gone]).delete()
        record(_event(user, "delete", is_gone=True) for user in gone)
    return len(gone)


def create_many(
    application_id: int, users: Mapping[str, Mapping[str, Any]], *, override: bool = False
) -> list[StreamUser]:
    """Create those that are missing and, with override, replace the data of the others."""
    ensure_application(application_id)
    now = timezone.now()
    with transaction.atomic(using=database()):
        rows = [
            StreamUser(application_id=application_id, user_id=user_id, **_new_fields(users[user_id], now))
            for user_id in sorted(users)
        ]
        options: dict[str, Any] = {"ignore_conflicts": True}
        if override:
            options = conflicts_on(["application", "user_id"], database())
            options["update_fields"] = ["data", "updated_at"]
        StreamUser.objects.using(database()).bulk_create(rows, **options)
        stored = StreamUser.objects.using(database()).filter(application_id=application_id, user_id__in=users)
        found = {user.user_id: user for user in stored}
        listed = [found[user_id] for user_id in users if user_id in found]
        record(
            _event(user, "create" if user.created_at == now else "update")
            for user in listed
            if now in (user.created_at, user.updated_at)
        )
    return listed


def _new_fields(data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {"data": dict(data), "created_at": now, "updated_at": now}


def _event(user: StreamUser, action: str, **more: Any) -> Event:
    return Event.of_row(user, "user", user.user_id, action, **more)
