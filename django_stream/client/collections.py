"""Collections: objects stored beside the feeds, which `SO:` references stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_stream.client import times
from django_stream.client.api import Api, Scope
from django_stream.client.encoding import comma_joined
from django_stream.client.exceptions import ValidationError
from django_stream.client.types import CollectionEntry, Done, SelectedEntries, UpsertedEntries
from django_stream.client.validation import segment
from django_stream.protocol import limits, references, scopes

# The user id is what stream-python sends here, too; beside a resource it names nobody.
_SCOPE: Scope = (scopes.COLLECTIONS, scopes.ANY, scopes.ANY, scopes.ANY)


class CollectionCalls:
    """`client.collections`"""

    local_methods = frozenset({"create_reference"})

    def __init__(self, api: Api) -> None:
        self._api = api

    def add(
        self, collection_name: str, data: Mapping[str, Any], id: object = None, user_id: object = None
    ) -> CollectionEntry:
        """Create an entry, with an id of the server's choice if none is given."""
        body = {"id": id, "data": data, "user_id": user_id}
        entry: CollectionEntry = self._api.call(
            "POST", _path(collection_name), _SCOPE, body=body, decode=times.stamped
        )
        return entry

    def get(self, collection_name: str, id: object) -> CollectionEntry:
        """One entry."""
        entry: CollectionEntry = self._api.call(
            "GET", _path(collection_name, id), _SCOPE, decode=times.stamped
        )
        return entry

    def update(
        self, collection_name: str, id: object, data: Mapping[str, Any] | None = None
    ) -> CollectionEntry:
        """Replace an entry's data."""
        entry: CollectionEntry = self._api.call(
            "PUT",
            _path(collection_name, id),
            _SCOPE,
            body={"data": data},
            decode=times.stamped,
            repeatable=True,
        )
        return entry

    def delete(self, collection_name: str, id: object) -> Done:
        """Delete an entry; references to it turn into 'not found' entries."""
        done: Done = self._api.call("DELETE", _path(collection_name, id), _SCOPE)
        return done

    def upsert(
        self, collection_name: str, data: Mapping[str, Any] | Iterable[Mapping[str, Any]]
    ) -> UpsertedEntries:
        """Create or replace entries of one collection; each names its `id` beside its fields."""
        return self.upsert_many({collection_name: [data] if isinstance(data, Mapping) else list(data)})

    def upsert_many(self, entries: Mapping[str, Iterable[Mapping[str, Any]]]) -> UpsertedEntries:
        """Create or replace entries of several collections."""
        data = {segment(name, "collection_name"): list(items) for name, items in entries.items()}
        for name, items in data.items():
            for index, item in enumerate(items):
                if not isinstance(item, Mapping) or item.get("id") in (None, ""):
                    raise ValidationError(f"{name}[{index}] must be a mapping with an id", name)
        upserted: UpsertedEntries = self._api.call(
            "POST", "collections/", _SCOPE, body={"data": data}, repeatable=True
        )
        return upserted

    def select(self, collection_name: str, ids: object) -> SelectedEntries:
        """Entries by id, in the order asked for; unknown ones are left out. 1,000 per request."""
        names = [f"{segment(collection_name, 'collection_name')}:{id}" for id in _ids(ids)]
        results = self._api.batches(
            names,
            limits.COLLECTION_SELECT,
            lambda part: self._api.call(
                "GET",
                "collections/",
                _SCOPE,
                query={"foreign_ids": comma_joined("foreign_ids", part)},
                decode=times.selected_entries,
            ),
        )
        if len(results) > 1:
            found = [entry for result in results for entry in result["response"]["data"]]
            results[-1]["response"] = {**results[-1]["response"], "data": found}
        selected: SelectedEntries = results[-1]
        return selected

    def delete_many(self, collection_name: str, ids: object) -> Done:
        """Delete several entries by id."""
        query = {
            "collection_name": segment(collection_name, "collection_name"),
            "ids": [str(id) for id in _ids(ids)],
        }
        done: Done = self._api.call("DELETE", "collections/", _SCOPE, query=query)
        return done

    def create_reference(
        self, collection_name: str | None = None, id: object = None, entry: Mapping[str, Any] | None = None
    ) -> str:
        """`SO:<collection>:<id>`, for activities that point to an entry."""
        if entry is not None:
            return references.object_reference(entry["collection"], entry["id"])
        if collection_name is None or id is None:
            raise ValidationError("give collection_name and id, or entry", "collection_name")
        return references.object_reference(collection_name, id)


def _ids(ids: object) -> list[object]:
    return list(ids) if isinstance(ids, list | tuple | set | frozenset) else [ids]


def _path(collection_name: object, entry_id: object = None) -> str:
    path = f"collections/{segment(collection_name, 'collection_name')}/"
    return path if entry_id is None else f"{path}{segment(entry_id, 'id')}/"
