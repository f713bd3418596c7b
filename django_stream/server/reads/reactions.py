"""Reactions by id, and lists of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from django.db.models import QuerySet

from django_stream.database.bulk_sql import among
from django_stream.database.conditions import equal, one_of
from django_stream.database.statements import Database
from django_stream.database.transactions import database_to_read
from django_stream.server.models import DeletedReaction, Reaction
from django_stream.server.models.reactions import LISTED, LISTED_BY_KIND, TOP_LEVEL, VISIBLE
from django_stream.server.reads import latest_reactions
from django_stream.server.reads.latest_reactions import Choice, Comparison
from django_stream.server.reads.reaction_rows import PARENT_COLUMNS, ReactionRow, columns_of, read
from django_stream.server.validation import missing

Lookup = Literal["activity_id", "reaction_id", "user_id"]
Bound = Literal["id_lt", "id_lte", "id_gt", "id_gte"]
_COMPARED: dict[Bound, Comparison] = {"id_lt": "<", "id_lte": "<=", "id_gt": ">", "id_gte": ">="}
_LOOKUPS: dict[Comparison, str] = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


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
    rows = rows_of(application_id).filter(LISTED, user_id=user_id, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", "reaction_id")[:most])


def page(application_id: int, search: Search) -> tuple[list[Reaction], bool]:
    """A part of a list, newest first unless it is read upwards, and whether more follow."""
    of: uuid.UUID | int | None = None
    if search.lookup == "activity_id":
        of = uuid.UUID(search.value)
    elif search.lookup == "reaction_id":
        of = rows_of(application_id).filter(reaction_id=search.value).values_list("pk", flat=True).first()
        if of is None:
            return [], False
    places = _places(application_id, [reaction_id for _, reaction_id in search.bounds])
    # An id that never was marks the beginning of the list.
    bounds = [(_COMPARED[name], places[one]) for name, one in search.bounds if one in places]
    if of is not None and search.user_id and not search.kind:
        return _of_one_user(application_id, of, search, bounds)
    return _listed(application_id, of, search, bounds)


def _listed(
    application_id: int, of: uuid.UUID | int | None, search: Search, bounds: list[tuple[Comparison, int]]
) -> tuple[list[Reaction], bool]:
    rows = rows_of(application_id).filter(VISIBLE)
    listed = LISTED_BY_KIND if search.kind else LISTED
    if isinstance(of, uuid.UUID):
        rows = rows.filter(TOP_LEVEL, activity=of)
    elif of is not None:
        rows = rows.filter(parent=of)
    else:
        rows = rows.filter(listed, user_id=search.value)
    if search.kind:
        rows = rows.filter(kind=search.kind)
    rows = rows.filter(user_id=search.user_id) if search.user_id else rows.filter(listed)
    for comparison, place in bounds:
        rows = rows.filter(**{f"pk__{_LOOKUPS[comparison]}": place})
    found = list(rows.order_by("pk" if search.oldest_first else "-pk")[: search.limit + 1])
    return found[: search.limit], len(found) > search.limit


def _of_one_user(
    application_id: int, of: uuid.UUID | int, search: Search, bounds: list[tuple[Comparison, int]]
) -> tuple[list[Reaction], bool]:
    """Likewise over all kinds, which an index has only one by one."""
    choice = Choice(search.limit + 1, search.user_id, search.oldest_first, bounds)
    if isinstance(of, uuid.UUID):
        numbers = latest_reactions.of_all_kinds_to_activity(application_id, of, choice)
    else:
        numbers = latest_reactions.of_all_kinds_to_parent(of, choice)
    if not numbers:
        return [], False
    # By their numbers alone: of another condition, PostgreSQL without statistics reads all that meet it.
    using = database_to_read(Reaction)
    rows = Reaction.objects.using(using).filter(among("pk", numbers, using))
    by_number = {row.pk: row for row in rows if row.deleted_at is None}
    # Who was deleted in between is missing, and ends no list.
    found = [by_number[number] for number in numbers[: search.limit] if number in by_number]
    return found, bool(found) and len(numbers) > search.limit


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
