"""Reactions are added, changed, deleted and restored, with their counts and activities on target feeds."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server.actions import reaction_counts, reaction_jobs, reaction_targets, reaction_trees
from django_stream.server.actions.reaction_trees import event, locked
from django_stream.server.events.event import fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import DeletedReaction, Reaction
from django_stream.server.ownership import check_owner
from django_stream.server.validation import conflicting, missing

# For so long a list can be read on from a reaction that was deleted.
_PLACES_KEPT = timedelta(days=30)
# Children of a reaction that follow it in the request, and as many of their children.
_BELOW_AT_ONCE = 250


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
        record([event(row, "create")])
        reaction_counts.change([row], 1)
    return row


def _parent(application_id: int, reaction_id: str) -> Reaction:
    """The parent, locked, so that it cannot be deleted while a child is added."""
    parent = locked(_rows(application_id).filter(reaction_id=reaction_id)).first()
    if parent is None or parent.deleted_at is not None:
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
        record([event(row, "update", before=before)])
    return row


def delete(application_id: int, reaction_id: str, *, soft: bool = False, share: int = 1) -> None:
    """Delete a reaction with all that is below it; softly, so that all of it can be restored.

    Of very many that are below it, those after the first go in the background: sooner where so many
    reactions `share` a request.
    """
    most = max(_BELOW_AT_ONCE // share, 1)
    with transaction.atomic(using=database()):
        root = _locked_reaction(application_id, reaction_id)
        if not soft:
            reaction_jobs.start(root, reaction_trees.remove(root, itself=True, most=most))
        elif root.deleted_at is None:
            reaction_jobs.start(root, reaction_trees.hide(root, itself=True, most=most))


def prune_places() -> int:
    """Forget where reactions were that are long gone; how many."""
    old = DeletedReaction.objects.using(database()).filter(deleted_at__lt=_now() - _PLACES_KEPT)
    return old.delete()[0]


def restore(application_id: int, reaction_id: str) -> None:
    """Bring a softly deleted reaction back, with all that went with it."""
    with transaction.atomic(using=database()):
        # A reaction whose parent is deleted comes back with the parent only. Parents are locked first.
        above = Reaction.objects.using(database()).filter(
            children__application_id=application_id, children__reaction_id=reaction_id
        )
        hidden = any(parent.deleted_at is not None for parent in locked(above))
        root = _locked_reaction(application_id, reaction_id)
        if hidden or root.deleted_at is None:
            raise missing("a deleted reaction to restore,", reaction_id)
        reaction_jobs.start(root, reaction_trees.show(root, itself=True, most=_BELOW_AT_ONCE))


def delete_many(application_id: int, reaction_ids: Collection[str], *, soft: bool = False) -> None:
    """Delete those that exist, each with what is below it."""
    wanted = sorted(set(reaction_ids))
    for reaction_id in wanted:
        with transaction.atomic(using=database()):
            if _rows(application_id).filter(reaction_id=reaction_id).exists():
                delete(application_id, reaction_id, soft=soft, share=len(wanted))


def _rows(application_id: int) -> QuerySet[Reaction]:
    return Reaction.objects.using(database()).filter(application_id=application_id)


def _locked_reaction(application_id: int, reaction_id: str) -> Reaction:
    """The reaction, locked, which must exist and be the caller's or the caller the application's server."""
    row = locked(_rows(application_id).filter(reaction_id=reaction_id)).first()
    if row is None:
        raise missing("reaction", reaction_id)
    check_owner(row.user_id)
    return row


def _now() -> datetime:
    # Where USE_TZ is False: of the two hours when clocks go back, always the same one, for a
    # target activity is found again by this time.
    return timezone.now().replace(fold=0)
