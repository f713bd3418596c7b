"""Partial updates: single fields of an activity are set and unset, nested ones by dotted path."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from django_stream.protocol.errors import ApiError, invalid
from django_stream.server.actions import activities
from django_stream.server.activity_input import REQUIRED, check_size, text_of
from django_stream.server.events.event import fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database
from django_stream.server.models import Activity
from django_stream.server.ownership import check_actor

# Fields of their own column; every other one is part of `extra`.
COLUMNS = (*REQUIRED, "target")


@dataclass(frozen=True, slots=True)
class PartialUpdate:
    """What to set and unset on one activity."""

    key: uuid.UUID
    set_fields: Mapping[str, Any]
    unset_fields: Sequence[str]


def apply(application_id: int, changes: Sequence[PartialUpdate]) -> list[Activity]:
    """Apply all changes or none. The activities, in the order given."""
    with transaction.atomic(using=database()):
        stored = activities.lock(application_id, {change.key for change in changes})
        members = activities.group_members_of(stored)
        former = {key: fields_of(activity) for key, activity in stored.items()}
        for change in changes:
            activity = stored.get(change.key)
            if activity is None or activity.is_erased:
                raise ApiError.named("DoesNotExistException", "there is no such activity to update")
            check_actor(activity.actor)
            _apply(activity, change)
        for activity in stored.values():
            activity.save(using=database(), update_fields=[*COLUMNS, "extra"])
        activities.regroup(application_id, stored, members)
        record(activities.event(activity, "update", before=former[key]) for key, activity in stored.items())
    return [stored[change.key] for change in changes]


def _apply(activity: Activity, change: PartialUpdate) -> None:
    extra = copy.deepcopy(activity.extra)
    for path, value in change.set_fields.items():
        if path in COLUMNS:
            text = text_of({path: value}, path)
            if not text and path in REQUIRED:
                raise invalid(f"{path} must not be empty", path)
            setattr(activity, path, text)
        else:
            parent, name = _parent(extra, path)
            if parent is None:
                raise invalid(f"{path}: there is nothing at its parent path to set a field of", path)
            parent[name] = value
    for path in change.unset_fields:
        parent, name = _parent(extra, path)
        if parent is not None:
            parent.pop(name, None)
    check_size({**extra, **{name: getattr(activity, name) for name in COLUMNS}})
    activity.extra = extra


def _parent(extra: dict[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """The object that holds the last segment of a path; None when the way to it is broken."""
    *parents, name = path.split(".")
    place: Any = extra
    for segment in parents:
        place = place.get(segment) if isinstance(place, dict) else None
    return (place if isinstance(place, dict) else None), name
