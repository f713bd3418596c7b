"""Objects that the API put in place of references become references again, to be shown as the site's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django_stream.activities.model_references import parse_reference
from django_stream.activities.registry import is_shown
from django_stream.protocol.references import object_reference, user_reference
from django_stream.protocol.wire import is_group

Entry = dict[str, Any]


def with_references(entry: Entry, fields: Sequence[str]) -> Entry:
    """An activity or group with such references; objects that stand for no row of this site stay."""
    if is_group(entry):
        return {**entry, "activities": [with_references(one, fields) for one in entry["activities"]]}
    found = {name: reference for name in fields if (reference := _reference(entry.get(name)))}
    return {**entry, **found} if found else entry


def _reference(value: object) -> str | None:
    # Nearly all are texts, and that is seen sooner.
    if isinstance(value, str) or not isinstance(value, Mapping):
        return None
    text = _text(value)
    reference = parse_reference(text)
    return text if reference and is_shown(reference.model) else None


def _text(value: Mapping[str, Any]) -> Any:
    if "error" in value:
        return value.get("reference")
    if "verb" in value:
        return value.get("foreign_id")
    if "collection" in value:
        return object_reference(value["collection"], value.get("id"))
    return None if "kind" in value else user_reference(value.get("id"))
