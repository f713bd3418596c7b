"""A system check of `extra`: fields whose values have no form in JSON, with what to name in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import models

from django_stream.activities.paths import last_field


def check_extra(model: type[models.Model], paths: Iterable[Any]) -> Iterator[CheckMessage]:
    for path in paths:
        field = last_field(model, path)
        if field is None or not (better := _better(path, field)):
            continue
        yield Error(
            f"{model._meta.label}: Activity.extra names '{path}', a {type(field).__name__}, "
            "which has no form on the wire.",
            hint=f"{better}, or a property that returns texts, numbers, lists or dicts.",
            obj=model,
            id="django_stream.E009",
        )


def _better(path: str, field: Any) -> str | None:
    """What to name instead; None for a field that can be sent."""
    start, _, name = path.rpartition(".")
    prefix = f"{start}." if start else ""
    if not field.concrete or field.many_to_many:
        return "Name a path that ends at a column"  # rows: reverse, many-to-many and generic relations
    if field.is_relation:
        shown = field.related_model if isinstance(field.related_model, type) else None
        label = _label_field(shown) if shown else None
        is_key = name == field.attname and name != field.name
        if is_key:
            return _better(path, field.target_field)
        return f"Name '{prefix}{field.attname}'" + (f" or '{path}.{label}'" if label else "")
    if isinstance(field, models.FileField):
        return f"Name '{path}.name'"
    if isinstance(field, models.DurationField):
        return f"Name '{path}.total_seconds'"
    if isinstance(field, models.TimeField):
        return f"Name '{path}.isoformat'"
    if isinstance(field, models.BinaryField):
        return "Name another field"
    # Ranges of PostgreSQL, known by what they have: their app may not be installed.
    return f"Name '{path}.lower' and '{path}.upper'" if hasattr(field, "range_type") else None


def _label_field(model: type[models.Model]) -> str | None:
    """A field that tells a row in words."""
    return next((one.name for one in model._meta.concrete_fields if type(one) is models.CharField), None)
