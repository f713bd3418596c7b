"""Collection entries by id."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from django_stream.database.conditions import Column, rows_among_those, time_text
from django_stream.database.statements import Database, Row
from django_stream.database.transactions import database_to_read
from django_stream.protocol import wire
from django_stream.server.models import CollectionEntry
from django_stream.server.reads.answer_size import AnswerSize, weight
from django_stream.server.reads.large_values import LargeValues, short
from django_stream.server.reads.reaction_rows import json_value, wire_time
from django_stream.server.reads.serializers import rfc3339
from django_stream.server.validation import missing

Name = tuple[str, str]


class Entries:
    """The entries that exist among those of some names, (collection, id)."""

    def __init__(self, application_id: int, names: Collection[Name]) -> None:
        rows = _rows(application_id, names, short("data"), time_text("created_at"), time_text("updated_at"))
        self._rows = {(collection, entry_id): row for collection, entry_id, *row in rows}
        self._shown: dict[Name, tuple[wire.CollectionEntry[str], int]] = {}
        self._large = LargeValues[Name](partial(_data_of, application_id))
        for name in names:
            if name in self._rows and self._rows[name][0] is None:
                self._large.expect(name)

    def __contains__(self, name: Name) -> bool:
        return name in self._rows

    def get(self, name: Name, size: AnswerSize) -> wire.CollectionEntry[str] | None:
        """An entry as an object of its own, counted as a part of an answer."""
        if name not in self._shown:
            if name not in self._rows:
                return None
            self._shown[name] = self._shape(name)
        entry, its_size = self._shown[name]
        size.add(its_size)
        return entry.copy()

    def _shape(self, name: Name) -> tuple[wire.CollectionEntry[str], int]:
        data, created_at, updated_at = self._rows[name]
        if data is None:
            data = self._large.get(name)
        return _shape(*name, json_value(data), wire_time(created_at), wire_time(updated_at)), weight(data)


def _rows(application_id: int, names: Collection[Name], *columns: Column) -> list[Row]:
    if not names:
        return []
    return Database.to_read(CollectionEntry).select(
        CollectionEntry,
        ["collection", "entry_id", *columns],
        rows_among_those(
            "application_id", application_id, {"collection": "text", "entry_id": "text"}, list(names)
        ),
    )


def _data_of(application_id: int, names: Collection[Name]) -> dict[Name, Any]:
    rows = _rows(application_id, names, "data")
    return {(collection, entry_id): data for collection, entry_id, data in rows}


def get(application_id: int, collection: str, entry_id: str) -> CollectionEntry:
    """One entry, or the refusal that it does not exist."""
    rows = CollectionEntry.objects.using(database_to_read(CollectionEntry))
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
