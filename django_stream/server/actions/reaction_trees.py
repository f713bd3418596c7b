"""What is below a reaction that is deleted or restored goes and comes with it: so many rows in one step.

A step acts on what it finds, and leaves nothing for another one to find again. So steps may be repeated,
and a tree that is only half hidden can be restored, or deleted.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from django_stream.database.bulk_sql import among, conflicts_on, row_locks
from django_stream.database.conditions import one_of
from django_stream.database.statements import Database
from django_stream.server.actions import reaction_counts, reaction_targets
from django_stream.server.events.event import Event
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database
from django_stream.server.models import ChildCount, DeletedReaction, Reaction
from django_stream.server.models.reactions import LISTED, VISIBLE

_HIDDEN_WITH_ANOTHER = Q(deleted_with__isnull=False)
_ANY = Q()
# Where the children of so many children are too many for one step, so many of each go with it: whoever has
# more has steps of its own.
_FEW = 2
# No request names an id that begins like this.
_NAMELESS = "/"


@dataclass(frozen=True, slots=True)
class Below:
    """What a step found below a reaction, locked."""

    rows: Sequence[Reaction] = ()
    """Children, and their children."""
    large: Sequence[Reaction] = ()
    """Those of the children whose own children are too many for this step."""
    last: int | None = None
    """The number of the last child; None when no more follow."""


def locked(rows: QuerySet[Reaction]) -> QuerySet[Reaction]:
    """Lock reactions until the transaction ends, in the order of their numbers."""
    # Keys never change, and children refer to them: their inserts need not wait.
    return rows.select_for_update(**row_locks(rows.db, no_key=True, of=("self",))).order_by("pk")


def event(row: Reaction, action: str, **more: Any) -> Event:
    """What happened to a reaction."""
    feeds = tuple(row.target_feeds)
    return Event.of_row(
        row, "reaction", row.reaction_id, action, on_behalf_of=row.user_id, feeds=feeds, **more
    )


def hide(root: Reaction, after: int = 0, *, itself: bool = False, most: int) -> Below:
    """Hide up to so many children of a locked reaction after this number, and `itself` first."""
    found = _below(root, VISIBLE & LISTED, after, most)
    rows = [root, *found.rows] if itself else found.rows
    reaction_targets.withdraw(rows)
    record(event(row, "delete", is_gone=True) for row in rows)
    reaction_counts.note(rows, -1)
    moment = root.deleted_at or timezone.now()
    _chosen(found.rows).update(deleted_at=moment, deleted_with=root.deleted_with or root.pk)
    if itself:
        _chosen([root]).update(deleted_at=moment)
    reaction_counts.change(rows, -1)
    return found


def show(root: Reaction, after: int = 0, *, itself: bool = False, most: int) -> Below:
    """Bring back what was hidden with a locked reaction, likewise."""
    found = _below(root, _HIDDEN_WITH_ANOTHER, after, most)
    rows = [root, *found.rows] if itself else found.rows
    _chosen(rows).update(deleted_at=None, deleted_with=None)
    reaction_targets.place(rows)
    record(event(row, "restore") for row in rows)
    reaction_counts.note(rows, 1)
    reaction_counts.change(rows, 1)
    return found


def remove(root: Reaction, after: int = 0, *, itself: bool = False, most: int) -> Below:
    """Delete what is below a locked reaction for good, and the reaction with the last of it.

    `itself` says that this is the first step: until the last one, the reaction is there under no name.
    """
    found = _below(root, _ANY, after, most)
    rows = [root, *found.rows] if itself else found.rows
    shown = [row for row in rows if row.deleted_at is None]
    reaction_targets.withdraw(shown)
    record(event(row, "delete", is_gone=True) for row in rows if row is root or row.deleted_at is None)
    _keep_places(rows)
    # What was counted below goes with what it was below.
    counted = [copy(row) for row in shown if row is root]
    reaction_counts.note(counted, -1)
    nameless = [*found.large, *([root] if itself and found.last is not None else [])]
    for row in nameless:
        _take_name(row)
    kept = {row.pk for row in nameless}
    _delete([row for row in found.rows if row.pk not in kept] + ([root] if found.last is None else []))
    reaction_counts.change(counted, -1)
    return found


def is_nameless(row: Reaction) -> bool:
    """Whether a reaction is deleted for good, but what is below it not yet."""
    return row.reaction_id.startswith(_NAMELESS)


def _below(root: Reaction, wanted: Q, after: int, most: int) -> Below:
    """The next of those that are wanted below a locked reaction."""
    rows = Reaction.objects.using(database()).filter(wanted)
    children = list(locked(rows.filter(parent=root.pk, pk__gt=after))[:most])
    if not children:
        return Below()
    last = children[-1].pk if len(children) == most else None
    theirs = rows.filter(among("parent_id", [child.pk for child in children], database()))
    large = _large(children, wanted) if theirs[: most + 1].count() > most else []
    if large:
        few = {child.pk for child in children} - {child.pk for child in large}
        theirs = rows.filter(among("parent_id", few, database()))
    return Below([*children, *locked(theirs)], large, last)


def _large(children: Sequence[Reaction], wanted: Q) -> list[Reaction]:
    """Those of locked reactions that have more than a few children."""
    theirs = Reaction.objects.filter(wanted, parent=OuterRef("pk")).order_by("pk")
    large = set(_chosen(children).filter(Exists(theirs[_FEW : _FEW + 1])).values_list("pk", flat=True))
    return [child for child in children if child.pk in large]


def _chosen(rows: Collection[Reaction]) -> QuerySet[Reaction]:
    return Reaction.objects.using(database()).filter(among("pk", [row.pk for row in rows], database()))


def _take_name(row: Reaction) -> None:
    """Leave a locked reaction where it is, with nothing in it, for nobody to find."""
    row.reaction_id, row.kind, row.user_id = f"{_NAMELESS}{uuid.uuid4()}", "", ""
    row.parent, row.parent_reaction_id = None, ""
    row.data, row.target_feeds, row.target_feeds_extra_data = {}, [], None
    row.deleted_at, row.deleted_with = row.deleted_at or timezone.now(), None
    row.save(using=database())


def _delete(rows: Collection[Reaction]) -> None:
    """Delete reactions of which none has children that stay."""
    if rows:
        numbers = [row.pk for row in rows]
        to_write = Database.to_write(Reaction)
        to_write.delete(ChildCount, one_of("parent_id", numbers))
        to_write.delete(Reaction, one_of("id", numbers), last_first=True)


def _keep_places(rows: Collection[Reaction]) -> None:
    """Whoever reads a list goes on from where these were."""
    now = timezone.now()
    places = [
        DeletedReaction(
            application_id=row.application_id, reaction_id=row.reaction_id, place=row.pk, deleted_at=now
        )
        for row in sorted(rows, key=lambda row: row.reaction_id)
    ]
    DeletedReaction.objects.using(database()).bulk_create(
        places,
        update_fields=["place", "deleted_at"],
        **conflicts_on(["application", "reaction_id"], database()),
    )
