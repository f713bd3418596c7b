"""stream-python's names for JSON: what a client sends and reads, as text."""

from __future__ import annotations

import json
from typing import Any

from django_stream.client.encoding import plain
from django_stream.protocol.times import parse_time

_TIMES = frozenset({"time", "created_at", "updated_at", "deleted_at"})


def dumps(value: Any) -> str:
    """JSON of a value, as requests carry it; ValidationError for what has no form there."""
    return json.dumps(plain(value), separators=(",", ":"))


def loads(text: str) -> Any:
    """The value of JSON. Times of the API are aware datetimes, and all other texts stay texts."""
    return json.loads(text, object_hook=_with_times)


def _with_times(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _time(one) if name in _TIMES and isinstance(one, str) else one for name, one in value.items()
    }


def _time(text: str) -> Any:
    try:
        return parse_time(text)
    except ValueError:
        return text
