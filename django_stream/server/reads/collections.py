"""Collection entries by id."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import router

from django_stream.database.statements import Database, equal, rows_among, time_text
from django_stream.protocol import wire
from django_stream.server.models import CollectionEntry
from django_stream.server.reads.answer_size import weight
from django_stream.server.reads.reaction_rows import json_value, wire_time
from django_stream.server.reads.serializers import rfc3339
from django_stream.server.validation import missing

Name = tuple[str, str]


def by_name(
    application_id: int, names: Collection[Name]
) -> dict[Name, tuple[wire.CollectionEntry[str], int]]:
    """The entries that exist among these, as objects of the wire with the weight of each in an answer.

    A name is (collection, id).
    """
    if not names:
        return {}
    rows = Database.to_read(CollectionEntry).select(
        CollectionEntry,
        ["collection", "entry_id", "data", time_text("created_at"), time_text("updated_at")],
        equal("application_id", application_id),
        rows_among({"collection": "text", "entry_id": "text"}, list(names)),
    )
    return {
        (collection, entry_id): (
            _shape(collection, entry_id, json_value(data), wire_time(created_at), wire_time(updated_at)),
            weight(data),
        )
        for collection, entry_id, data, created_at, updated_at in rows
    }


def get(application_id: int, collection: str, entry_id: str) -> CollectionEntry:
    """One entry, or the refusal that it does not exist."""
    rows = CollectionEntry.objects.using(router.db_for_read(CollectionEntry))
    found = rows.filter(application_id=application_id, collection=collection, entry_id=entry_id).first()
    if found is None:
        raise missing("collection entry", f"{collection}:{entry_id}")
    return found


def shape(entry: CollectionEntry) -> wire.CollectionEntry[str]:
    """An entry as an object of the wire."""
    times = rfc3339(entry.created_at), rfc3339(entry.updated_at)
    return _shape(entry.collection, entry.entry_id, entry.data, *times)


def _shape(
    collection: str, entry_id: str, data: Any, created_at: str, updated_at: str
) -> wire.CollectionEntry[str]:
    return {
        "id": entry_id,
        "collection": collection,
        "foreign_id": f"{collection}:{entry_id}",
        "data": data,
        "created_at": created_at,
        "updated_at": updated_at,
    }
