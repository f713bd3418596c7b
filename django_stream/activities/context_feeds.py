"""The feeds of what activities are about: of their object, of their target, and of the models concerned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db import models

from django_stream.activities.model_references import Reference, clean_pk, concrete, parse_reference
from django_stream.activities.owners import OwnerID, names_itself, owner_id, owner_id_of
from django_stream.protocol.feed_ids import FeedID

OBJECT, TARGET, MODEL = "object", "target", "model"
GROUPS = (OBJECT, TARGET, MODEL)
"""Slugs of their feed groups, which are what STREAM_CONTEXT_FEEDS may name."""


def context_feeds(activity: Mapping[str, Any], wanted: Collection[str]) -> Iterator[FeedID]:
    """The feeds of the wanted groups that an activity belongs to, besides its actor's."""
    if not wanted:
        return
    rows = {name: parse_reference(activity.get(name)) for name in ("actor", OBJECT, TARGET)}
    for slug in (OBJECT, TARGET):
        reference = rows[slug]
        if slug in wanted and reference and (owner := _owner_of(reference)):
            yield FeedID(slug, owner)
    if MODEL in wanted:
        yield from (model_feed(reference.model) for reference in rows.values() if reference)


def model_feed(model: type[models.Model]) -> FeedID:
    """The feed of all activities whose actor, object or target is a row of a model."""
    meta = concrete(model)._meta
    return FeedID(MODEL, f"{meta.app_label}-{meta.model_name}")


def _owner_of(reference: Reference) -> OwnerID | None:
    model, object_id = reference
    pk = clean_pk(model, object_id)
    if pk is None or not names_itself(model):
        return None if pk is None else owner_id_of(model, pk)
    row = model._base_manager.filter(pk=pk).first()
    return owner_id(row) if row else None
