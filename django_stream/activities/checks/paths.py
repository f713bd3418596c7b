"""System checks of where declared paths end: at a time, and at rows that can be shown and followed."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import models

from django_stream.activities.paths import last_field
from django_stream.activities.representation import DEFAULT_TIME, overrides, represents_itself


def check_paths(model: type[models.Model], options: dict[str, Any]) -> list[CheckMessage]:
    """Paths of a `class Activity` that exist, and lead to the wrong kind of field."""
    return _check_time(model, options) + _check_rows(model, options)


def _check_time(model: type[models.Model], options: dict[str, Any]) -> list[CheckMessage]:
    """A path to the time that ends in a column which holds none."""
    if represents_itself(model) and overrides(model, "activity_time"):
        return []
    path = options.get("time", DEFAULT_TIME)
    field = last_field(model, path)
    if field is None or isinstance(field, models.DateField):
        return []
    return [
        Error(
            f"{model._meta.label}: the time of its activities is '{path}', a {type(field).__name__}.",
            hint="Name a DateTimeField or a DateField, or give a callable that returns a datetime.",
            obj=model,
            id="django_stream.E008",
        )
    ]


def _check_rows(model: type[models.Model], options: dict[str, Any]) -> list[CheckMessage]:
    """An actor that is a column's value, and primary keys in the place of rows."""
    problems: list[CheckMessage] = []
    for option in ("actor", "object", "target"):
        path: Any = options.get(option)
        field = last_field(model, path)
        if field is None or not field.concrete:
            continue
        start, _, name = path.rpartition(".")
        is_key = field.is_relation and field.name != name
        if is_key or (option == "actor" and not field.is_relation):
            row = ".".join(filter(None, (start, field.name if is_key else "")))
            problems.append(_only_a_value(model, option, path, row))
    return problems


def _only_a_value(model: type[models.Model], option: str, path: str, row: str) -> CheckMessage:
    better = f"'{row}'" if row else "a foreign key"
    return Warning(
        f"{model._meta.label}: Activity.{option} is '{path}', which is a value and no row.",
        hint=f"Name {better}: pages show rows, and people follow rows.",
        obj=model,
        id="django_stream.W042",
    )


def is_to_one(field: Any) -> bool:
    return field.is_relation and not field.auto_created and bool(field.many_to_one or field.one_to_one)


def not_a_row(model: type[models.Model], option: str, path: str, field: Any) -> CheckMessage:
    return Error(
        f"{model._meta.label}: {option} names '{path}', a {type(field).__name__}, which leads to no row.",
        hint="Name a foreign key.",
        obj=model,
        id="django_stream.E007",
    )
