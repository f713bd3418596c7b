"""A system check of what rows are known by: the outbox must have room for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import models

from django_stream.publishing.models import OutboxEntry
from django_stream.publishing.publisher import publishers

_ROOM = OutboxEntry._meta.get_field("object_key").max_length or math.inf
# Of numbers, dates and UUIDs.
_SHORT = 40


def check_keys(**_: Any) -> list[CheckMessage]:
    found = {(publisher.model, tuple(publisher.key_fields)) for publisher in publishers()}
    too_long = [(model, fields) for model, fields in found if longest_key(fields) > _ROOM]
    return [
        Warning(
            f"{model._meta.label} has keys that may be longer than {_ROOM} characters, "
            "and the outbox has no room for them.",
            hint="PostgreSQL refuses to save such a row. Limit the length of "
            f"{' and '.join(field.name for field in fields)}.",
            obj=model,
            id="django_stream.W044",
        )
        for model, fields in sorted(too_long, key=lambda found: found[0]._meta.label)
    ]


def longest_key(fields: Sequence[Any]) -> float:
    """Characters of the longest key that these columns make; those of several are a JSON list."""
    lengths = [_length(field) for field in fields]
    return lengths[0] if len(lengths) == 1 else sum(length + 3 for length in lengths) + 1


def _length(field: Any) -> float:
    while field.remote_field:
        field = field.target_field
    if isinstance(field, models.CharField):
        return field.max_length or math.inf
    return math.inf if isinstance(field, models.TextField) else _SHORT
