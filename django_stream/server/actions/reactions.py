"""Reactions are added, changed, deleted and restored, with their counts and activities on target feeds."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server.actions import reaction_counts, reaction_targets
from django_stream.server.events.event import Event, fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import Reaction
from django_stream.server.ownership import check_owner
from django_stream.server.validation import conflicting, missing


@dataclass(frozen=True, slots=True)
class Targets:
    """The feeds on which a reaction is shown, and the extra data of its activity there."""

    feeds: tuple[str, ...] = ()
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewReaction:
    """A reaction to an activity or, with a parent, to another reaction."""

    kind: str
    user_id: str
    activity: uuid.UUID | None = None
    parent: str = ""
    data: Mapping[str, Any] | None = None
    targets: Targets = Targets()
    reaction_id: str = ""


def add(application_id: int, new: NewReaction) -> Reaction:
    """Store a reaction: its row, its count and, if it has target feeds, its activity on them."""
    ensure_application(application_id)
    with transaction.atomic(using=database()):
        row = _row(application_id, new, _parent(application_id, new.parent) if new.parent else None)
        try:
            row.save(using=database(), force_insert=True)
        except IntegrityError as error:
            raise conflicting("reaction", row.reaction_id) from error
        reaction_targets.place([row])
        record([_event(row, "create")])
        reaction_counts.change([row], 1)
    return row


def _parent(application_id: int, reaction_id: str) -> Reaction:
    """The parent, locked, so that it cannot be deleted while a child is added."""
    parent = _locked(_rows(application_id).filter(reaction_id=reaction_id, deleted_at__isnull=True)).first()
    if parent is None:
        raise invalid(f"parent {reaction_id!r} does not exist", "parent")
    if parent.level >= limits.REACTION_LEVELS:
        raise invalid(f"reactions nest at most {limits.REACTION_LEVELS} levels deep", "parent")
    return parent


def _row(application_id: int, new: NewReaction, parent: Reaction | None) -> Reaction:
    activity = new.activity if parent is None else parent.activity
    if activity is None:
        raise invalid("activity_id or parent is required", "activity_id")
    now = _now()
    return Reaction(
        application_id=application_id,
        reaction_id=new.reaction_id or str(uuid.uuid4()),
        kind=new.kind,
        activity=activity,
        parent=parent,
        parent_reaction_id="" if parent is None else parent.reaction_id,
        level=1 if parent is None else parent.level + 1,
        user_id=new.user_id,
        data=dict(new.data or {}),
        target_feeds=list(new.targets.feeds),
        target_feeds_extra_data=None if new.targets.extra is None else dict(new.targets.extra),
        created_at=now,
        updated_at=now,
    )


def update(application_id: int, reaction_id: str, data: Mapping[str, Any], targets: Targets) -> Reaction:
    """Replace the data and the target feeds; feeds that are not named any more lose the activity.

    Extra data for the feeds stay as they are unless new ones are given.
    """
    with transaction.atomic(using=database()):
        row = _locked_reaction(application_id, reaction_id)
        before = fields_of(row)
        if row.deleted_at is not None:
            raise missing("reaction", reaction_id)
        reaction_targets.lock_feeds(application_id, {*row.target_feeds, *targets.feeds})
        reaction_targets.withdraw([row], keeping=targets.feeds)
        row.data = dict(data)
        row.target_feeds = list(targets.feeds)
        if targets.extra is not None:
            row.target_feeds_extra_data = dict(targets.extra)
        row.updated_at = _now()
        row.save(using=database())
        reaction_targets.place([row])
        record([_event(row, "update", before=before)])
    return row


def delete(application_id: int, reaction_id: str, *, soft: bool = False) -> None:
    """Delete a reaction with all that is below it; softly, so that all of it can be restored."""
    with transaction.atomic(using=database()):
        root = _locked_reaction(application_id, reaction_id)
        shown = [row for row in (root, *_descendants(root)) if row.deleted_at is None]
        reaction_targets.withdraw(shown)
        deleted = shown if root in shown else [root]
        record(_event(row, "delete", is_gone=True) for row in deleted)
        if soft:
            _hide(root)
            reaction_counts.change(shown, -1)
        else:
            root.delete(using=database())
            # What was counted below went with the root.
            reaction_counts.change([row for row in shown if row.level == root.level], -1)


def _hide(root: Reaction) -> None:
    if root.deleted_at is None:
        now = _now()
        Reaction.objects.using(database()).filter(pk=root.pk).update(deleted_at=now)
        for rows in _descendants_by_level(root):
            rows.filter(deleted_at__isnull=True).update(deleted_at=now, deleted_with=root.pk)


def restore(application_id: int, reaction_id: str) -> None:
    """Bring a softly deleted reaction back, with all that went with it."""
    with transaction.atomic(using=database()):
        # A reaction whose parent is deleted comes back with the parent only. Parents are locked first.
        above = Reaction.objects.using(database()).filter(
            children__application_id=application_id, children__reaction_id=reaction_id
        )
        hidden = any(parent.deleted_at is not None for parent in _locked(above))
        root = _locked_reaction(application_id, reaction_id)
        if hidden or root.deleted_at is None:
            raise missing("a deleted reaction to restore,", reaction_id)
        family = [root, *(row for row in _descendants(root) if row.deleted_with == root.pk)]
        Reaction.objects.using(database()).filter(pk=root.pk).update(deleted_at=None)
        for rows in _descendants_by_level(root):
            rows.filter(deleted_with=root.pk).update(deleted_at=None, deleted_with=None)
        reaction_targets.place(family)
        record(_event(row, "restore") for row in family)
        reaction_counts.change(family, 1)


def delete_many(application_id: int, reaction_ids: Collection[str], *, soft: bool = False) -> None:
    """Delete those that exist, each with what is below it."""
    for reaction_id in sorted(set(reaction_ids)):
        with transaction.atomic(using=database()):
            if _rows(application_id).filter(reaction_id=reaction_id).exists():
                delete(application_id, reaction_id, soft=soft)


def _event(row: Reaction, action: str, **more: Any) -> Event:
    feeds = tuple(row.target_feeds)
    return Event.of_row(
        row, "reaction", row.reaction_id, action, on_behalf_of=row.user_id, feeds=feeds, **more
    )


def _rows(application_id: int) -> QuerySet[Reaction]:
    return Reaction.objects.using(database()).filter(application_id=application_id)


def _locked(rows: QuerySet[Reaction]) -> QuerySet[Reaction]:
    # Keys never change, and children refer to them: their inserts need not wait.
    return rows.select_for_update(no_key=True, of=("self",))


def _locked_reaction(application_id: int, reaction_id: str) -> Reaction:
    """The reaction, locked, which must exist and be the caller's or the caller the application's server."""
    row = _locked(_rows(application_id).filter(reaction_id=reaction_id)).first()
    if row is None:
        raise missing("reaction", reaction_id)
    check_owner(row.user_id)
    return row


def _descendants(root: Reaction) -> list[Reaction]:
    """All descendants, locked from the top down and in id order, as every other writer does."""
    return [row for rows in _descendants_by_level(root) for row in _locked(rows).order_by("pk")]


def _descendants_by_level(root: Reaction) -> list[QuerySet[Reaction]]:
    """Its children, and the children of those."""
    paths = ["__".join(["parent"] * depth) for depth in range(1, limits.REACTION_LEVELS - root.level + 1)]
    return [Reaction.objects.using(database()).filter(**{path: root.pk}) for path in paths]


def _now() -> datetime:
    # Where USE_TZ is False: of the two hours when clocks go back, always the same one, for a
    # target activity is found again by this time.
    return timezone.now().replace(fold=0)
