"""Reactions by id, and lists of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from django.db.models import QuerySet

from django_stream.database.statements import Database, equal, one_of
from django_stream.database.transactions import database_to_read
from django_stream.server.models import DeletedReaction, Reaction
from django_stream.server.reads.reaction_rows import PARENT_COLUMNS, ReactionRow, columns_of, read
from django_stream.server.validation import missing

Lookup = Literal["activity_id", "reaction_id", "user_id"]
Bound = Literal["id_lt", "id_lte", "id_gt", "id_gte"]


@dataclass(frozen=True, slots=True)
class Search:
    """Which reactions to list, and in which part of the list to look."""

    lookup: Lookup
    value: str
    limit: int
    kind: str = ""
    user_id: str = ""
    """Only this user's."""
    bounds: tuple[tuple[Bound, str], ...] = ()

    @property
    def oldest_first(self) -> bool:
        return any(name in ("id_gt", "id_gte") for name, _ in self.bounds)


def rows_of(application_id: int) -> QuerySet[Reaction]:
    """All reactions of an application."""
    return Reaction.objects.using(database_to_read(Reaction)).filter(application_id=application_id)


def get(application_id: int, reaction_id: str) -> Reaction:
    """One reaction, also when it is softly deleted; else the refusal that it does not exist."""
    found = rows_of(application_id).filter(reaction_id=reaction_id).first()
    if found is None:
        raise missing("reaction", reaction_id)
    return found


def by_id(
    application_id: int, reaction_ids: Collection[str], *, deleted: bool = False
) -> dict[str, Reaction]:
    """The reactions that exist among these."""
    if not reaction_ids:
        return {}
    # Asked for those that are there, PostgreSQL without statistics looks through all that are there.
    rows = rows_of(application_id).filter(reaction_id__in=reaction_ids)
    return {row.reaction_id: row for row in rows if deleted or row.deleted_at is None}


def rows_by_id(application_id: int, reaction_ids: Collection[str]) -> dict[str, ReactionRow]:
    """Likewise, as plain rows."""
    if not reaction_ids:
        return {}
    found = Database.to_read(Reaction).select(
        Reaction,
        [*columns_of(), *PARENT_COLUMNS, "r.deleted_at"],
        equal("r.application_id", application_id),
        one_of("r.reaction_id", reaction_ids),
        alias="r",
    )
    return {row.reaction_id: row for row in read(found) if row.deleted_at is None}


def of_user(application_id: int, user_id: str, after: int, most: int) -> list[tuple[int, str]]:
    """Places and ids of what a user reacted with, in the order of arrival, softly deleted ones included."""
    rows = rows_of(application_id).filter(user_id=user_id, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", "reaction_id")[:most])


def page(application_id: int, search: Search) -> tuple[list[Reaction], bool]:
    """A part of a list, newest first unless it is read upwards, and whether more follow."""
    rows = _listed(application_id, search)
    if rows is None:
        return [], False
    places = _places(application_id, [reaction_id for _, reaction_id in search.bounds])
    for name, reaction_id in search.bounds:
        # An id that never was marks the beginning of the list.
        if reaction_id in places:
            rows = rows.filter(**{f"pk__{name.removeprefix('id_')}": places[reaction_id]})
    order = "pk" if search.oldest_first else "-pk"
    found = list(rows.order_by(order)[: search.limit + 1])
    return found[: search.limit], len(found) > search.limit


def _listed(application_id: int, search: Search) -> QuerySet[Reaction] | None:
    rows = rows_of(application_id).filter(deleted_at__isnull=True)
    if search.lookup == "activity_id":
        rows = rows.filter(activity=uuid.UUID(search.value), parent__isnull=True)
    elif search.lookup == "user_id":
        rows = rows.filter(user_id=search.value)
    else:
        parent = rows_of(application_id).filter(reaction_id=search.value).values_list("pk", flat=True).first()
        if parent is None:
            return None
        rows = rows.filter(parent=parent)
    if search.kind:
        rows = rows.filter(kind=search.kind)
    return rows.filter(user_id=search.user_id) if search.user_id else rows


def _places(application_id: int, reaction_ids: list[str]) -> dict[str, int]:
    """Where reactions are in the order of arrival, and where those were that are gone."""
    if not reaction_ids:
        return {}
    rows = rows_of(application_id).filter(reaction_id__in=reaction_ids)
    places = dict(rows.values_list("reaction_id", "pk"))
    if gone := [reaction_id for reaction_id in reaction_ids if reaction_id not in places]:
        deleted = DeletedReaction.objects.using(database_to_read(DeletedReaction)).filter(
            application_id=application_id, reaction_id__in=gone
        )
        places |= deleted.values_list("reaction_id", "place")
    return places
