"""Activities about activities: `SA:<id>` becomes the reference of the row that the other activity is of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django_stream.client import StreamClient
from django_stream.database.batches import batched
from django_stream.protocol import limits
from django_stream.protocol.wire import is_group, members

_PREFIX = "SA:"
# Anybody may write a reference, and of anything but an id the API refuses to look for all others, too.
_REFERENCE = re.compile(f"{_PREFIX}[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}", re.ASCII)

Entry = dict[str, Any]


def resolve_activities(client: StreamClient, entries: Sequence[Entry], fields: Sequence[str]) -> list[Entry]:
    """Flat activities or groups with such references replaced, by one call for a whole page."""
    wanted = {
        value for entry in entries for activity in members(entry) for value in _references(activity, fields)
    }
    if not wanted:
        return list(entries)
    rows = _rows_of(client, sorted(wanted))
    return [_replace(entry, fields, rows) for entry in entries]


def _references(activity: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    values = (activity.get(name) for name in fields)
    return [
        value
        for value in values
        if isinstance(value, str) and value.startswith(_PREFIX) and _REFERENCE.fullmatch(value)
    ]


def _rows_of(client: StreamClient, references: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in batched(references, limits.ACTIVITIES_PER_REQUEST):
        ids = [reference.removeprefix(_PREFIX) for reference in some]
        for activity in client.get_activities(ids=ids)["results"]:
            found[_PREFIX + activity["id"]] = activity["foreign_id"]
    return found


def _replace(entry: Entry, fields: Sequence[str], rows: Mapping[str, str]) -> Entry:
    if is_group(entry):
        return {**entry, "activities": [_replace(one, fields, rows) for one in entry["activities"]]}
    replaced = {name: rows[entry[name]] for name in fields if entry.get(name) in rows}
    return {**entry, **replaced}
