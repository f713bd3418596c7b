"""What is drawn for each check. `--hypothesis-profile=thorough` draws many more examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.any_json import checks
from tests.any_json.doors import Doors
from tests.any_json.values import bad_somewhere, custom_fields, data, json_texts, texts, values


def _some(share: float) -> settings:
    """A share of the profile's examples: one is written by every way in and read by some twenty doors."""
    examples = max(5, int(settings.default.max_examples * share))
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@_some(0.15)
@given(fields=custom_fields, value=values, way=st.sampled_from(sorted(checks.WAYS)))
def _custom_fields(doors: Doors, fields: dict[str, Any], value: Any, way: str) -> None:
    checks.custom_fields(doors, fields | {"custom": value}, way)


@_some(0.15)
@given(value=values, names=st.lists(texts, max_size=3))
def _partial_updates(doors: Doors, value: Any, names: list[str]) -> None:
    checks.partial_update(doors, value, names)


@_some(0.1)
@given(fields=st.dictionaries(st.sampled_from(["actor", "verb", "object", "target", "foreign_id"]), texts))
def _known_fields(doors: Doors, fields: dict[str, str]) -> None:
    checks.known_fields(doors, fields)


@_some(0.1)
@given(kept=data)
def _reactions(doors: Doors, kept: dict[str, Any]) -> None:
    checks.reaction(doors, kept)


@_some(0.1)
@given(kept=data)
def _users(doors: Doors, kept: dict[str, Any]) -> None:
    checks.user(doors, kept)


@_some(0.1)
@given(kept=data)
def _collections(doors: Doors, kept: dict[str, Any]) -> None:
    checks.collection(doors, kept)


@_some(0.1)
@given(kept=data)
def _flags(doors: Doors, kept: dict[str, Any]) -> None:
    checks.flag(doors, kept)


@_some(0.3)
@given(text=json_texts)
def _bytes(doors: Doors, text: str) -> None:
    checks.raw(doors, text)


@_some(0.5)
@given(value=bad_somewhere(), place=st.sampled_from(sorted(checks.PLACES)))
def _refused(doors: Doors, value: Any, place: str) -> None:
    checks.refused(doors, value, place)


PROPERTIES: dict[str, Callable[[Doors], None]] = {
    "custom fields": _custom_fields,
    "partial updates": _partial_updates,
    "known fields": _known_fields,
    "reactions": _reactions,
    "users": _users,
    "collections": _collections,
    "flags": _flags,
    "bytes": _bytes,
    "what cannot be told is refused": _refused,
}
