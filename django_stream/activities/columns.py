"""Activities that are read from the columns of their rows, without an instance of any model.

That is possible where a declaration names columns and foreign keys alone, and no code of a project's takes
part in the making of instances.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models
from django.db.models.fields.related_descriptors import (
    ForeignKeyDeferredAttribute,
    ForwardManyToOneDescriptor,
    ForwardOneToOneDescriptor,
)
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init

from django_stream.activities.compiled import Reader, Teller, Unusual, is_as_declared, teller
from django_stream.activities.model_references import references_by_key
from django_stream.activities.owners import OwnerID, names_itself, owner_ids_by_key
from django_stream.activities.paths import FixedFeeds, Source
from django_stream.activities.representation import ActivityProperties
from django_stream.database.tables import is_elsewhere

_PLAIN_COLUMNS = (DeferredAttribute, ForeignKeyDeferredAttribute)
_PLAIN_KEYS = (ForwardManyToOneDescriptor, ForwardOneToOneDescriptor)


class NoColumn(Exception):
    """A source that no column of the database tells."""


class Columns:
    """What stands for a row are the values of `names`, which are those of `values_list`."""

    def __init__(self, model: type[models.Model], using: str) -> None:
        self._model, self._using = model, using
        self.names = ["pk"]

    def value(self, source: Source, name: str) -> Reader:
        model, field = self._field(source)
        column = _last(source)
        is_column = column == getattr(field, "attname", None) and type(field).__module__.startswith("django.")
        if not is_column or type(_static(model, column)) not in _PLAIN_COLUMNS:
            raise NoColumn
        return self._reader(source)

    def who(self, source: Source, name: str) -> Callable[[Any], tuple[str | None, OwnerID]]:
        related, read = self._key(source)
        reference, owner = references_by_key(related), _owner_ids(related)

        def who(row: Any) -> tuple[str | None, OwnerID]:
            pk = read(row)
            if pk is None:
                raise Unusual
            return reference(pk), owner(pk)

        return who

    def what(self, source: Source, name: str) -> Callable[[Any], str | None]:
        related, read = self._key(source)
        reference = references_by_key(related)
        return lambda row: None if (pk := read(row)) is None else reference(pk)

    def recipients(self, source: Source) -> Callable[[Any], list[Any]]:
        if isinstance(source, FixedFeeds):
            return source
        related, read = self._key(source)
        owner = _owner_ids(related)
        return lambda row: [] if (pk := read(row)) is None else [owner(pk)]

    def key(self, row: Any) -> Any:
        return row[0]

    def _key(self, source: Source) -> tuple[type[models.Model], Reader]:
        """The model that a foreign key leads to, and what reads the primary key of its row."""
        model, field = self._field(source)
        related = self._followed(model, field, _last(source))
        if field.target_field is not related._meta.pk:
            raise NoColumn
        return related, self._reader(source)

    def _field(self, source: Source) -> tuple[type[models.Model], Any]:
        """The field at the end of a path, and the model that has it."""
        if callable(source):
            raise NoColumn
        model, (*names, last) = self._model, source.split(".")
        for name in names:
            model = self._followed(model, _field_of(model, name), name)
        return model, _field_of(model, last)

    def _followed(self, model: type[models.Model], field: Any, name: str) -> type[models.Model]:
        """The model behind a foreign key whose rows are certain to be there, as the database sees to it."""
        is_key = type(field) in (models.ForeignKey, models.OneToOneField) and field.name == name
        if not is_key or not field.db_constraint or type(_static(model, name)) not in _PLAIN_KEYS:
            raise NoColumn
        related: type[models.Model] = field.related_model
        # Of a table that somebody else makes, such as a view, nobody knows what is certain.
        if not (model._meta.managed and related._meta.managed):
            raise NoColumn
        if is_elsewhere(related, self._using) or not _makes_plain_instances(related):
            raise NoColumn
        return related

    def _reader(self, source: Source) -> Reader:
        self.names.append(str(source).replace(".", "__"))
        return itemgetter(len(self.names) - 1)


def columns_of(
    model: type[models.Model], representation: Callable[[Any], ActivityProperties], using: str
) -> tuple[list[str], Teller] | None:
    """Names for `values_list`, and what tells the payload of each of its tuples; None for other models.

    It raises an error for what the row itself is to be asked.
    """
    enforces_keys = connections[using].features.supports_foreign_keys
    if not (enforces_keys and type(model._base_manager) is models.Manager and _makes_plain_instances(model)):
        return None
    said = representation(model.from_db(using, (), ()))
    columns = Columns(model, using)
    try:
        tell = teller(model, said.activity_declaration, columns) if is_as_declared(said) else None
    except NoColumn:
        return None
    return tell and (columns.names, tell)


def _owner_ids(model: type[models.Model]) -> Callable[[Any], OwnerID]:
    if names_itself(model):
        raise NoColumn
    return owner_ids_by_key(model)


def _makes_plain_instances(model: type[models.Model]) -> bool:
    """Whether what rows are like in Python is what the database holds, and nothing else."""
    return (
        model.__init__ is models.Model.__init__
        and _function(model.from_db) is _function(models.Model.from_db)
        and not (pre_init.has_listeners(model) or post_init.has_listeners(model))
    )


def _function(method: Any) -> Any:
    return getattr(method, "__func__", method)


def _field_of(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        raise NoColumn from None


def _static(model: type[models.Model], name: str) -> Any:
    return inspect.getattr_static(model, name, None)


def _last(source: Source) -> str:
    return str(source).rpartition(".")[2]
