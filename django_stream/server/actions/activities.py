"""Activities are stored and changed, on whatever feeds they are."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connections
from django.db.models import Case, Value, When
from django.db.models.functions import Cast

from django_stream.database.bulk_sql import insert_missing
from django_stream.database.conditions import equal, looked_up, one_of
from django_stream.database.statements import Database
from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError, invalid
from django_stream.server.activity_input import ActivityInput
from django_stream.server.activity_rows import read_key
from django_stream.server.aggregation.names import names_of
from django_stream.server.events.event import Event, Fields, current_caller, fields_of
from django_stream.server.fanout import jobs as fanout
from django_stream.server.feed_groups import groups_of
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, Feed, Placement
from django_stream.server.ownership import check_actor

_REPLACED = ("actor", "verb", "object", "target", "foreign_id", "extra")


@dataclass(frozen=True, slots=True)
class Upserted:
    """The locked rows of activities that were posted or updated, by key."""

    stored: Mapping[uuid.UUID, Activity] = field(default_factory=dict)
    before: Mapping[uuid.UUID, Fields] = field(default_factory=dict)
    """The former fields of those that existed."""


def each_once(new_activities: Sequence[ActivityInput]) -> list[ActivityInput]:
    """The activities of one request: one that is there twice is as if it had been posted twice.

    The last one's content stays, and the targets of all.
    """
    wanted: dict[uuid.UUID, ActivityInput] = {}
    for one in new_activities:
        if (former := wanted.get(one.key)) is None:
            wanted[one.key] = one
        else:
            _check_same(former, one)
            wanted[one.key] = replace(one, to=tuple(_grown(former.to, one.to)))
    return list(wanted.values())


def upsert(application_id: int, new_activities: Sequence[ActivityInput]) -> Upserted:
    """Store activities and lock their rows: a known (foreign_id, time) is replaced in place.

    `to` only ever grows here, so that a second posting cannot withdraw the first one's targets.
    """
    if not new_activities:
        return Upserted()
    wanted = {new_activity.key: new_activity for new_activity in new_activities}
    stored, created = _stored_and_locked(application_id, wanted)
    for key, activity in stored.items():
        _check_replaceable(activity, wanted[key])
    members = group_members_of(stored)
    before = {key: fields_of(activity) for key, activity in stored.items() if key not in created}
    changed = [key for key in before if _merge(stored[key], wanted[key])]
    if changed:
        save_columns(
            application_id,
            [stored[key] for key in changed],
            [*_REPLACED, "to", "group_names", "is_erased", "created_by"],
        )
        regroup(application_id, stored, members)
    return Upserted(stored, before)


def _stored_and_locked(
    application_id: int, wanted: Mapping[uuid.UUID, ActivityInput]
) -> tuple[dict[uuid.UUID, Activity], set[uuid.UUID]]:
    """Create the rows that are missing and lock them all; also the keys of those that were created.

    One that is deleted in between is created again.
    """
    stored: dict[uuid.UUID, Activity] = {}
    new: set[uuid.UUID] = set()
    while missing := wanted.keys() - stored.keys():
        rows = {key: _new_row(application_id, wanted[key]) for key in sorted(missing)}
        created = insert_missing(list(rows.values()), "key", database())
        new.update(map(read_key, created))
        stored |= {key: rows[key] for key in new & missing}
        if there := missing - stored.keys():
            stored |= lock(application_id, there)
    return {key: stored[key] for key in sorted(stored)}, new


def _check_replaceable(activity: Activity, new_activity: ActivityInput) -> None:
    """Refuse to replace what only has the same id by chance, and what is another actor's."""
    if not activity.is_erased:
        _check_same(activity, new_activity)
    check_actor(activity.actor)


def _check_same(former: Activity | ActivityInput, new_activity: ActivityInput) -> None:
    if former.foreign_id != new_activity.foreign_id:
        # 32 bits of the foreign_id are in an id: two may meet at one time, and neither may be lost.
        raise ApiError.named(
            "ConflictException",
            f"foreign_id {new_activity.foreign_id!r} has the same id at this time as {former.foreign_id!r}",
        )
    if not new_activity.foreign_id and _content(former) != _content(new_activity):
        raise ApiError.named(
            "ConflictException", "another activity of this time has the same id: give yours a foreign_id"
        )


def _content(activity: Activity | ActivityInput) -> dict[str, Any]:
    return {name: getattr(activity, name) for name in _REPLACED}


def event(activity: Activity, action: str, *, feeds: Collection[object] = (), **more: Any) -> Event:
    """What happened to an activity; `feeds` are those that were named."""
    return Event.of_row(
        activity,
        "activity",
        str(activity.activity_id),
        action,
        on_behalf_of=activity.actor.removeprefix("SU:"),
        feeds=tuple(str(feed) for feed in feeds),
        **more,
    )


def group_members_of(stored: Mapping[uuid.UUID, Activity]) -> dict[uuid.UUID, tuple[str, dict[str, str]]]:
    """By key, what decides an activity's groups and their counts of actors; for `regroup`."""
    return {key: (activity.actor, activity.group_names) for key, activity in stored.items()}


def regroup(
    application_id: int,
    stored: Mapping[uuid.UUID, Activity],
    before: Mapping[uuid.UUID, tuple[str, dict[str, str]]],
) -> None:
    """After an update, put activities into the groups and counts that they belong to now."""
    edited = [key for key, now in group_members_of(stored).items() if now != before[key]]
    if edited and any(group.grouped for group in groups_of(application_id).values()):
        mine = Placement.objects.using(database()).of_application(application_id).filter(key__in=edited)
        fanout.regroup(set(mine.values_list("feed_id", flat=True)), edited)


def lock(application_id: int, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Activity]:
    """Lock these activities until the end of the transaction, in key order."""
    rows = (
        Activity.objects.using(database())
        .select_for_update()
        .filter(application_id=application_id, key__in=keys)
        .order_by("key")
    )
    return {activity.key: activity for activity in rows}


def save_columns(application_id: int, listed: Sequence[Activity], columns: Sequence[str]) -> None:
    """Write columns of locked activities of an application.

    Not by bulk_update: that names pairs of columns, and SQLite looks for the first of them alone.
    """
    mine = Activity.objects.using(database()).filter(
        application_id=application_id, key__in=[activity.key for activity in listed]
    )
    mine.update(**{column: _by_key(listed, column) for column in columns})


def _by_key(listed: Sequence[Activity], column: str) -> Case | Cast:
    of_column: Any = Activity._meta.get_field(column)
    values = [When(key=one.key, then=Value(getattr(one, column), of_column)) for one in listed]
    chosen = Case(*values, output_field=of_column)
    casts = connections[database()].features.requires_casted_case_in_updates
    return Cast(chosen, output_field=of_column) if casts else chosen


def unaddress(application_id: int, listed: Collection[Activity]) -> None:
    """Empty the `to` lists of locked activities."""
    addressed = [activity for activity in listed if activity.to]
    for activity in addressed:
        activity.to = []
    if addressed:
        keys = [activity.key for activity in addressed]
        rows = Activity.objects.using(database()).filter(application_id=application_id, key__in=keys)
        rows.update(to=[])


def drop(application_id: int, keys: Collection[uuid.UUID]) -> None:
    """Delete these locked activities, which are on no feed any more."""
    if keys:
        chosen = equal("application_id", application_id), one_of("key", sorted(keys), uuids=True)
        Database.to_write(Activity).delete(Activity, *chosen)


def placed_feeds(application_id: int, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[int, bool]]:
    """Of each activity that is on any feed, on which, and whether only a `to` list put it there."""
    ours = looked_up(Feed, "feed_id", "application_id", application_id)
    chosen = one_of("key", keys, uuids=True), ours
    rows = Database.to_write(Placement).select(Placement, ["feed_id", "key", "targeted"], *chosen)
    placed: dict[uuid.UUID, dict[int, bool]] = {}
    for feed, key, targeted in rows:
        placed.setdefault(read_key(key), {})[feed] = bool(targeted)
    return placed


def _new_row(application_id: int, new_activity: ActivityInput) -> Activity:
    activity = Activity(
        application_id=application_id,
        key=new_activity.key,
        to=list(new_activity.to),
        extra=dict(new_activity.extra),
        created_by=current_caller(),
        **{name: getattr(new_activity, name) for name in _REPLACED[:-1]},
    )
    activity.group_names = names_of(activity)
    return activity


def _merge(activity: Activity, new_activity: ActivityInput) -> bool:
    """Bring a stored activity up to what was posted; whether anything changed."""
    to = _grown(activity.to, new_activity.to)
    after = {**_content(new_activity), "to": to, "is_erased": False, "created_by": current_caller()}
    before = {name: getattr(activity, name) for name in after}
    if before == after:
        return False
    for name, value in after.items():
        setattr(activity, name, dict(value) if name == "extra" else value)
    if before["is_erased"]:
        activity.group_names = names_of(activity)
    return True


def _grown(former: Sequence[str], more: Sequence[str]) -> list[str]:
    """The targets of an activity that is posted again."""
    to = list(dict.fromkeys([*former, *more]))
    if len(to) > max(limits.TARGETS_STORED, len(former)):
        raise invalid(f"posted again and again, an activity may have {limits.TARGETS_STORED} targets", "to")
    if _length(to) > max(limits.TARGETS_STORED_LENGTH, _length(former)):
        most = limits.TARGETS_STORED_LENGTH
        raise invalid(f"posted again and again, an activity may have targets of {most} characters", "to")
    return to


def _length(names: Sequence[str]) -> int:
    return sum(map(len, names))
