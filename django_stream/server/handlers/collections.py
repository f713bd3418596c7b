"""Collections: one entry and many."""

from __future__ import annotations

from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server import permissions
from django_stream.server.actions import collections as actions
from django_stream.server.actions.collections import NewEntry
from django_stream.server.reads import collections as reads
from django_stream.server.reads.answer_size import AnswerSize, check_whole, until_full
from django_stream.server.requests import Body, Call, batch
from django_stream.server.validation import data_of, listed_id, word_id

_DOCUMENTED = {"id", "data", "user_id"}


def create(call: Call) -> Body:
    """Add an entry to a collection."""
    fields = call.fields()
    entry_id = word_id(fields["id"], "id") if fields.get("id") not in (None, "") else ""
    data = _required_data(fields.get("data"))
    entry = actions.create(call.application_id, _collection(call), entry_id, data, _owner(call, fields))
    return reads.shape(entry)


def _owner(call: Call, fields: dict[str, Any]) -> str:
    given = fields.get("user_id")
    owner = "" if given is None else listed_id(given, "user_id")
    if call.principal.is_server:
        return owner
    permissions.same_user(call, [owner] if owner else [])
    return call.principal.user_id or ""


def read(call: Call) -> Body:
    """Read an entry of a collection."""
    return reads.shape(reads.get(call.application_id, _collection(call), call.captures["entry"]))


def update(call: Call) -> Body:
    """Replace the data of an entry."""
    fields = call.fields()
    if "id" in fields:
        raise invalid("the id of an entry cannot change", "id")
    data = _required_data(fields.get("data"))
    return reads.shape(actions.update(call.application_id, *_owned_entry(call), data))


def delete(call: Call) -> Body:
    """Delete an entry."""
    collection, entry_id = _owned_entry(call)
    actions.delete(call.application_id, collection, [entry_id])
    return {}


def _owned_entry(call: Call) -> tuple[str, str]:
    """The entry in the path, which must exist and, for a user token, belong to its holder."""
    entry = reads.get(call.application_id, _collection(call), call.captures["entry"])
    if not call.principal.is_server:
        permissions.same_user(call, [entry.user_id])
    return entry.collection, entry.entry_id


def _collection(call: Call) -> str:
    return word_id(call.captures["collection"], "collection")


def _required_data(value: Any) -> dict[str, Any]:
    data = data_of(value)
    if not data:
        raise invalid("data is required and must not be empty", "data")
    return data


def upsert_many(call: Call) -> Body:
    """Add many entries, or replace their data."""
    given = call.fields().get("data")
    if not isinstance(given, dict):
        raise invalid("data must be an object: {collection: [entries]}", "data")
    entries: dict[tuple[str, str], NewEntry] = {}
    for name, items in given.items():
        for item in batch(items, f"data.{name}", limits.COLLECTION_SELECT):
            if not isinstance(item, dict):
                raise invalid("each entry must be an object with an id", f"data.{name}")
            entry = word_id(name, "collection"), word_id(item.get("id"), "id")
            if entry in entries:
                raise invalid(f"{entry[0]}:{entry[1]} is there twice", f"data.{name}")
            entries[entry] = _new_entry(item)
    batch(list(entries), "data", limits.COLLECTION_SELECT)
    actions.upsert_many(call.application_id, entries)
    return {"data": given}


def _new_entry(item: dict[str, Any]) -> NewEntry:
    """An item in the document's form, or in the flat one of the clients, which is stored as it is.

    The flat one names no owner, so it is the application's own: a user who took the id first loses it.
    """
    if isinstance(item.get("data"), dict) and item.keys() <= _DOCUMENTED:
        owner = item.get("user_id")
        return NewEntry(data_of(item["data"]), None if owner is None else listed_id(owner, "user_id"))
    return NewEntry(data_of(item), "")


def select(call: Call) -> Body:
    """Read many entries by `collection:id`."""
    names = [_split_name(text) for text in call.parameters.listed("foreign_ids")]
    batch(names, "foreign_ids", limits.COLLECTION_SELECT)
    found, size = reads.Entries(call.application_id, names), AnswerSize()
    wanted = [name for name in dict.fromkeys(names) if name in found]
    data = [*until_full(size, (found.get(name, size) for name in wanted))]
    check_whole(len(data), len(wanted), "foreign_ids")
    return {"response": {"data": data}}


def _split_name(text: str) -> tuple[str, str]:
    collection, colon, entry_id = text.partition(":")
    if not colon:
        raise invalid(f"foreign_ids must have the form 'collection:id', not {text!r}", "foreign_ids")
    return collection, entry_id


def delete_many(call: Call) -> Body:
    """Delete many entries of one collection."""
    collection = word_id(call.parameters.text("collection_name"), "collection_name")
    ids = batch(call.parameters.listed("ids"), "ids", limits.COLLECTION_SELECT)
    if not ids:
        raise invalid("ids are required", "ids")
    actions.delete(call.application_id, collection, ids)
    return {}
