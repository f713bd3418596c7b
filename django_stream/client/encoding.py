"""From Python values to JSON values and query text; what has no stated form is refused, never null.

| Python                | on the wire                                        |
| --------------------- | -------------------------------------------------- |
| datetime              | UTC text of six fraction digits; naive means UTC   |
| date                  | `2026-01-31`                                       |
| Decimal, UUID         | text, exact                                        |
| Django's lazy strings | their text at the time of the call                 |
| members of str/int enums | their value                                     |
| mappings, lists, tuples  | objects (keys of text or int) and lists         |
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django_stream.client.exceptions import ValidationError
from django_stream.protocol.times import format_activity_time

_ATOMS = frozenset({str, int, bool, type(None)})


def plain(value: Any, where: str = "") -> Any:
    """A deep copy made of JSON values only; ValidationError names the place of what cannot be one."""
    try:
        return _plain(value, where)
    except RecursionError:
        message = f"{where or 'the body'} is nested too deeply or contains itself"
        raise ValidationError(message, where or None) from None


def _plain(value: Any, where: str) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict or isinstance(value, Mapping):
        return _object(value, where)
    if kind is list or kind is tuple:
        return [
            item if type(item) in _ATOMS else _plain(item, f"{where}[{index}]")
            for index, item in enumerate(value)
        ]
    return _scalar(value, where)


def _object(value: Mapping[Any, Any], where: str) -> dict[str, Any]:
    copy: dict[str, Any] = {}
    for key, item in value.items():
        if type(key) is not str:
            key = _key(key, where)
        copy[key] = item if type(item) in _ATOMS else _plain(item, f"{where}.{key}" if where else key)
    return copy


def _key(key: Any, where: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return int.__repr__(key)
    raise ValidationError(f"{where or 'the body'} has the key {key!r}; keys must be text", where or None)


def _scalar(value: Any, where: str) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        raise ValidationError(f"{where or 'the body'} is {value!r}, which JSON cannot say", where or None)
    # The unbound methods give the plain value of enums and other subclasses, whatever their __str__ says.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    text = as_text(value)
    if text is None:
        message = f"{where or 'the body'} is of type {type(value).__name__}, which has no form on the wire"
        raise ValidationError(message, where or None)
    return text


def as_text(value: Any) -> str | None:
    """The text of a value that travels as text; None when it has none."""
    if isinstance(value, datetime):
        return format_activity_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, UUID) or _is_lazy(value):
        return str(value)
    return None


def _is_lazy(value: Any) -> bool:
    # By name: this room does not import Django.
    return any(
        base.__name__ == "Promise" and base.__module__ == "django.utils.functional"
        for base in type(value).__mro__
    )


def query_text(name: str, value: Any) -> str | list[str] | None:
    """A query value; lists become repeated keys, None leaves the key out."""
    if value is None:
        return None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool | float):
        return str(value)
    if isinstance(value, int):
        return int.__repr__(int.__int__(value))
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [text for item in value if isinstance(text := query_text(name, item), str)]
    text = as_text(value)
    if text is None:
        raise ValidationError(f"{name} is of type {type(value).__name__}, which has no form in a query", name)
    return text


def comma_joined(name: str, values: Any) -> str:
    """Ids as one comma-separated query value; a single text stays as it is."""
    if isinstance(values, str):
        return values
    texts = query_text(name, list(values))
    for text in texts or ():
        if not text or "," in text:
            raise ValidationError(f"{name} holds {text!r}; an id must not be empty or contain a comma", name)
    return ",".join(texts or ())
