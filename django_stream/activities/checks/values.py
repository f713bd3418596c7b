"""System checks of what is given as a value: options of the right type, properties that are properties."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields
from types import FunctionType
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import models

from django_stream.activities.kinds import TrackedKind
from django_stream.activities.representation import PROPERTIES
from django_stream.protocol.feed_ids import FeedID

_DATA = ("collection_data", "stream_user_data", "feed_id")
_CLASS_METHODS = ("activity_related_models", "activity_prefetch_related")
_METHODS = (FunctionType, classmethod, staticmethod)


def check_values(
    model: type[models.Model], kind: TrackedKind, options: dict[str, Any]
) -> Iterator[CheckMessage]:
    """Options that are texts, switches or lists of names, and were given as something else."""
    for field in fields(kind.declaration):
        value = options.get(field.name)
        if value is None:
            continue
        place = f"{kind.inner}.{field.name}"
        if field.name in kind.lists:
            if not isinstance(value, str):  # told by not_a_list
                yield from _items(model, place, value)
        elif field.name not in kind.paths:
            wanted = {"bool": bool, "str": str, "str | None": str}.get(str(field.type))
            if wanted and not isinstance(value, wanted):
                yield _wrong_value(model, place, value, "True or False" if wanted is bool else "a text")


def _items(model: type[models.Model], place: str, value: Any) -> Iterator[CheckMessage]:
    if not isinstance(value, list | tuple):
        yield _wrong_value(model, place, value, "a list of names")
        return
    for item in value:
        if not isinstance(item, str):
            yield _wrong_value(model, place, item, "names of fields, dotted paths, or names of properties")


def _wrong_value(model: type[models.Model], place: str, value: Any, give: str) -> CheckMessage:
    return Error(
        f"{model._meta.label}: {place} is {value!r}.",
        hint=f"Give {give}.",
        obj=model,
        id="django_stream.E003",
    )


def check_feed_ids(
    model: type[models.Model], kind: TrackedKind, options: dict[str, Any]
) -> Iterator[CheckMessage]:
    """A list in the option `to` that holds something else than feed ids."""
    to = options.get("to")
    if isinstance(to, list | tuple) and not all(map(_is_feed_id, to)):
        give = "a list of feed ids, such as ['news:all'], or one path or callable without a list"
        yield _wrong_value(model, f"{kind.inner}.to", to, give)


def _is_feed_id(value: object) -> bool:
    """Whether a value is the text of a feed id."""
    try:
        return isinstance(value, str) and bool(FeedID.parse(value))
    except ValueError:
        return False


def check_properties(model: type[models.Model]) -> Iterator[CheckMessage]:
    """Methods where properties are read, and the other way round."""
    for name in (*PROPERTIES, *_DATA):
        if isinstance(inspect.getattr_static(model, name, None), _METHODS):
            yield _misplaced(model, name, "a method, and is read as a property", "Put @property above it")
    for name in _CLASS_METHODS:
        there = inspect.getattr_static(model, name, None)
        if there is not None and not isinstance(there, classmethod | staticmethod):
            yield _misplaced(
                model, name, "called on the class", "Make it a method, with @classmethod above it"
            )


def _misplaced(model: type[models.Model], name: str, trouble: str, remedy: str) -> CheckMessage:
    return Error(
        f"{model._meta.label}: {name} is {trouble}.", hint=f"{remedy}.", obj=model, id="django_stream.E020"
    )
