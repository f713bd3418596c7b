"""Field paths of a declaration: `author`, `post.author`, or a callable that takes the instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MethodType
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models

from django_stream.database.tables import is_elsewhere

Source = str | Callable[[Any], Any]


class FixedFeeds(tuple[str, ...]):
    """Feeds that get the activity of every row: `to = ["news:all"]`. They read nothing of it."""

    __slots__ = ()

    def __call__(self, row: object) -> list[str]:
        return list(self)


def fixed_or_source(to: Source | Sequence[str] | None) -> Source | None:
    """What an option `to` says, as something that can be resolved."""
    return FixedFeeds(to) if isinstance(to, list | tuple) else to  # type: ignore[return-value]


def resolve(instance: models.Model, source: Source) -> Any:
    """Follow the path from the instance; a gap (None, or a row that is gone) ends in None."""
    return reader(source)(instance)


def reader(source: Source) -> Callable[[Any], Any]:
    """The same for many instances: a function of one."""
    if callable(source):
        return source
    names = source.split(".")

    def read(instance: models.Model) -> Any:
        try:
            return _followed(instance, names)
        except Exception as error:
            add_origin(error, instance, source)
            raise

    return read


def read_property(representation: Any, name: str, row: models.Model) -> Any:
    """The value of a property; an error that its code raises gets a note with its name."""
    try:
        value = getattr(representation, name)
        if isinstance(value, MethodType):
            raise TypeError(f"{name} is a method: put @property above it")
    except Exception as error:
        add_origin(error, row, name)
        raise
    return value


def add_origin(error: Exception, row: models.Model, name: str) -> None:
    """Note whose code an error comes from."""
    # Set by the innermost path or property, which is the one at fault.
    if not hasattr(error, "__notes__"):
        error.add_note(f"{row._meta.object_name}.{name} raised {type(error).__name__}")


def _followed(instance: models.Model, names: Iterable[str]) -> Any:
    value: Any = instance
    for name in names:
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


def select_related_path(model: type[models.Model], source: Source, using: str) -> str | None:
    """The argument for select_related that saves a query per row; None when there is nothing to join."""
    joins, _ = _to_one(model, source, using)
    return "__".join(joins) or None


def prefetch_path(model: type[models.Model], source: Source, using: str) -> str | None:
    """The same for prefetch_related: the first generic foreign key on a path; None when there is none."""
    joins, name = _to_one(model, source, using)
    return "__".join([*joins, name]) if name else None


def _to_one(model: type[models.Model], source: Source, using: str) -> tuple[list[str], str | None]:
    """The foreign keys that a path begins with, and the generic one that ends them, if one does."""
    joins: list[str] = []
    current = model
    for name in source.split(".") if isinstance(source, str) else ():
        related = _related_model(current, name)
        if related is None:
            return joins, name if is_generic(_field(current, name)) else None
        if is_elsewhere(related, using):
            break
        joins.append(name)
        current = related
    return joins, None


def is_generic(field: Any) -> bool:
    """Whether a field is a GenericForeignKey, known by what it has: its app may not be installed."""
    return hasattr(field, "ct_field") and hasattr(field, "fk_field")


def related_model(model: type[models.Model], source: Source) -> type[models.Model] | None:
    """The model at the end of a path of foreign keys, where that is known without an instance."""
    current: type[models.Model] | None = model
    for name in source.split(".") if isinstance(source, str) else ():
        current = _related_model(current, name) if current else None
    return current if isinstance(source, str) else None


def reachable_models(model: type[models.Model], steps: int = 2) -> Iterator[type[models.Model]]:
    """The models that a model refers to by its keys, and those that these refer to."""
    for field in model._meta.concrete_fields:
        related = _related_model(model, field.name)
        if related is not None:
            yield related
            if steps > 1:
                yield from reachable_models(related, steps - 1)


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


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _related_model(model: type[models.Model], name: str) -> type[models.Model] | None:
    field = _field(model, name)
    # Under the name of its column, a foreign key is a value and leads nowhere.
    to_one = field is not None and field.name == name and (field.many_to_one or field.one_to_one)
    related = field.related_model if to_one and field.concrete else None
    return related if isinstance(related, type) else None


def field_names(model: type[models.Model]) -> list[str]:
    """Names a declaration may use, for 'did you mean' hints."""
    return sorted(_field_names(model))
