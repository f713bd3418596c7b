"""Field paths of a declaration: `author`, `post.author`, or a callable that takes the instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models

Source = str | Callable[[Any], Any]


def resolve(instance: models.Model, source: Source) -> Any:
    """Follow the path from the instance; a gap (None, or a row that is gone) ends in None."""
    if callable(source):
        return source(instance)
    try:
        return _followed(instance, source)
    except Exception as error:
        _add_origin(error, instance, source)
        raise


def read_property(representation: Any, name: str, row: models.Model) -> Any:
    """The value of a property; an error that its code raises gets a note with its name."""
    try:
        return getattr(representation, name)
    except Exception as error:
        _add_origin(error, row, name)
        raise


def _add_origin(error: Exception, row: models.Model, name: str) -> None:
    # Set by the innermost path or property, which is the one at fault.
    if not hasattr(error, "__notes__"):
        error.add_note(f"{row._meta.object_name}.{name} raised {type(error).__name__}")


def _followed(instance: models.Model, path: str) -> Any:
    value: Any = instance
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except ObjectDoesNotExist:
            return None
        if callable(value) and not isinstance(value, models.Manager):
            value = value()
        if value is None:
            return None
    return value


def wire_name(path: str) -> str:
    """The name under which the value of a path is sent: `author.name` as `author_name`."""
    return path.replace(".", "_")


def first_field(model: type[models.Model], source: Source) -> str | None:
    """The model's own field that the path begins with; None when it begins with anything else."""
    if not isinstance(source, str):
        return None
    try:
        return model._meta.get_field(source.split(".")[0]).name
    except FieldDoesNotExist:
        return None


def broken_segment(model: type[models.Model], source: Source) -> tuple[type[models.Model], str] | None:
    """The first segment that names neither a field nor an attribute, and the model it was sought on."""
    if not isinstance(source, str):
        return None
    current: type[models.Model] | None = model
    for name in source.split("."):
        if current is None:
            return None
        if not hasattr(current, name) and name not in _field_names(current):
            return current, name
        current = _related_model(current, name)
    return None


def select_related_path(model: type[models.Model], source: Source) -> str | None:
    """The argument for select_related that saves a query per row; None when there is nothing to join."""
    if not isinstance(source, str):
        return None
    joins: list[str] = []
    current: type[models.Model] | None = model
    for name in source.split("."):
        related = _related_model(current, name) if current else None
        if related is None:
            break
        joins.append(name)
        current = related
    return "__".join(joins) or None


def related_model(model: type[models.Model], source: Source) -> type[models.Model] | None:
    """The model at the end of a path of foreign keys, where that is known without an instance."""
    current: type[models.Model] | None = model
    for name in source.split(".") if isinstance(source, str) else ():
        current = _related_model(current, name) if current else None
    return current if isinstance(source, str) else None


def last_field(model: type[models.Model], source: Source | None) -> Any:
    """The field at the end of a path, None where it ends in anything else or leads through that."""
    if not isinstance(source, str):
        return None
    start, _, name = source.rpartition(".")
    current = related_model(model, start) if start else model
    try:
        return current._meta.get_field(name) if current else None
    except FieldDoesNotExist:
        return None


def _field_names(model: type[models.Model]) -> set[str]:
    return {
        name
        for field in model._meta.get_fields()
        for name in (field.name, getattr(field, "attname", field.name))
    }


def _related_model(model: type[models.Model], name: str) -> type[models.Model] | None:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    to_one = field.many_to_one or field.one_to_one
    related = field.related_model if to_one and field.concrete else None
    return related if isinstance(related, type) else None


def field_names(model: type[models.Model]) -> list[str]:
    """Names a declaration may use, for 'did you mean' hints."""
    return sorted(_field_names(model))
