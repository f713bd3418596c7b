"""An answer's activities, enriched: everything is collected first, then fetched, then put in place."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, cast

from django_stream.protocol import wire
from django_stream.protocol.activity_ids import sort_key
from django_stream.protocol.references import activity_reference
from django_stream.server.models import Reaction
from django_stream.server.reads import activities, serializers
from django_stream.server.reads.answer_size import AnswerSize, in_parts
from django_stream.server.reads.enrichment.options import EnrichmentOptions
from django_stream.server.reads.enrichment.reaction_data import ReactionData
from django_stream.server.reads.enrichment.reaction_trees import ReactionTrees
from django_stream.server.reads.enrichment.referenced_objects import (
    DEPTH,
    PER_ACTIVITY,
    Reference,
    ReferencedObjects,
)
from django_stream.server.reads.reaction_rows import ReactionRow
from django_stream.server.requests import Call

Enriched = list[wire.EnrichedActivity]


def enrich(application_id: int, listed: list[wire.Activity], options: EnrichmentOptions) -> Enriched:
    """The activities with objects for references and the reaction data that the options name.

    Where what they refer to is large, only the first of them: at least one.
    """
    size = AnswerSize()
    return in_parts(listed, size, partial(_shaped, application_id, options, size)) if listed else []


def _shaped(
    application_id: int, options: EnrichmentOptions, size: AnswerSize, listed: Sequence[wire.Activity]
) -> Iterator[wire.EnrichedActivity]:
    """Activities whose references and reactions are loaded together."""
    whole = len(listed) > 1
    referenced = ReferencedObjects.load(application_id, listed, size)
    shown = [*listed, *referenced.activities.values()]
    reactions = ReactionData.load(application_id, shown, options, whole=whole)
    reaction_trees = ReactionTrees(options, size, whole=whole)
    users = [reference.name for reference in referenced.of_kind("SU")]
    reaction_trees.load(application_id, [*referenced.reactions.values(), *reactions.rows()], users)
    writer = _Writer(referenced, reactions, reaction_trees, size, PER_ACTIVITY * len(listed))
    return map(writer.activity, listed)


def enriched(call: Call, listed: list[wire.Activity]) -> list[wire.Activity] | Enriched:
    """The activities of an answer as the call wants them: enriched if its path began with `enrich/`.

    Called once for an answer, with every activity of it, those inside groups included. An answer that
    would be too large has fewer of them.
    """
    return enrich(call.application_id, listed, EnrichmentOptions.by(call)) if call.enriched else listed


def about(
    application_id: int, activity: uuid.UUID, options: EnrichmentOptions
) -> wire.EnrichedActivity | wire.MissingObject:
    """The activity that reactions are about, enriched; one that is unknown here in its documented form."""
    rows = activities.in_order(application_id, [sort_key(activity)])
    if not rows:
        return Reference(activity_reference(activity), "SA", str(activity)).missing()
    return enrich(application_id, [serializers.activity(rows[0])], options)[0]


def enrich_reactions(
    application_id: int, reactions: Iterable[Reaction], options: EnrichmentOptions | None = None
) -> list[wire.Reaction[str]]:
    """Reactions on the wire, with their users and children; fewer where the answer would be too large."""
    rows, size = [ReactionRow.of(reaction) for reaction in reactions], AnswerSize()

    def shaped(part: Sequence[ReactionRow]) -> Iterator[wire.Reaction[str]]:
        reaction_trees = ReactionTrees(options or EnrichmentOptions(), size, whole=len(part) > 1)
        reaction_trees.load(application_id, part)
        return map(reaction_trees.shape, part)

    return in_parts(rows, size, shaped) if rows else []


class _Writer:
    """Puts what was fetched in place; every occurrence of a reference gets an object of its own."""

    def __init__(
        self,
        referenced: ReferencedObjects,
        reactions: ReactionData,
        reaction_trees: ReactionTrees,
        size: AnswerSize,
        budget: int,
    ) -> None:
        self._referenced = referenced
        self._reactions = reactions
        self._trees = reaction_trees
        self._size = size
        self._budget = budget

    def activity(self, activity: wire.Activity, depth: int = DEPTH) -> wire.EnrichedActivity:
        # References stand in custom fields too, whose names no type knows.
        written: dict[str, Any] = {**activity}
        for name, reference in self._referenced.fields[activity["id"]]:
            if self._replaceable(reference, depth):
                self._budget -= 1
                written[name] = self._object(reference, depth) or reference.missing()
        written.update(self._reactions.of(activity["id"], self._trees.shape, self._size))
        return cast("wire.EnrichedActivity", written)

    def _replaceable(self, reference: Reference, depth: int) -> bool:
        return (
            self._budget > 0 and reference in self._referenced.asked and (reference.kind != "SA" or depth > 0)
        )

    def _object(self, reference: Reference, depth: int) -> wire.ReferencedObject | None:
        if reference.kind == "SU":
            return self._trees.users.profile(reference.name)
        if reference.kind == "SO":
            return self._referenced.entry(reference)
        if reference.kind == "SR":
            row = self._referenced.reactions.get(reference.canonical)
            return None if row is None else self._trees.shape(row)
        nested = self._referenced.activities.get(reference.canonical)
        return None if nested is None else self.activity(nested, depth - 1)
