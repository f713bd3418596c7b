"""Which notifications a request marks as seen or read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from django_stream.protocol import limits
from django_stream.protocol.suggestions import did_you_mean
from django_stream.protocol.wire import is_entry_id

_NAMES = ("mark_seen", "mark_read", "mark_unread")


def read_marks(request: Request) -> dict[str, Any]:
    """`{"mark_seen": true, "mark_unread": ["<id>", …]}` of the body; anything else is answered 400."""
    body = request.data if isinstance(request.data, Mapping) else {}
    if unknown := [str(name) for name in body if name not in _NAMES]:
        raise ValidationError({name: [f"Unknown. {did_you_mean(name, _NAMES)}"] for name in unknown})
    marks = {name: body[name] for name in _NAMES if name in body}
    wrong = [name for name, value in marks.items() if value is not True and not _is_list_of_ids(value)]
    if wrong or not marks:
        told = [f"Must be true, or a list of up to {limits.PAGE_MAX} ids."]
        raise ValidationError(dict.fromkeys(wrong or _NAMES, told))
    return marks


def _is_list_of_ids(value: object) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= limits.PAGE_MAX
        and all(isinstance(one, str) and is_entry_id(one) and "," not in one for one in value)
    )
