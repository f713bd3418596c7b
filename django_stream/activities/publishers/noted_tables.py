"""The tables by which the database notices the changes of a publisher's rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connections, models

from django_stream.database.triggers.noting import KeyColumn, NotedTable, Referring, Step


class NoCapture(TypeError):
    """The database cannot write the keys of these rows."""


def row_tables(model: type[models.Model], watched: frozenset[str] | None, using: str) -> Iterator[NotedTable]:
    """The model's own table, and those of its parents, where some of its columns are."""
    meta = model._meta
    key = _key(meta.pk_fields, using)
    as_list = len(key) > 1
    yield NotedTable(meta.db_table, key, as_list, _columns(meta.local_concrete_fields, watched))
    for parent in meta.get_parent_list():
        columns = _columns(parent._meta.local_concrete_fields, watched)
        if columns != ():
            own = _key(parent._meta.pk_fields, using)
            # What comes and goes there does so in the table of the child as well.
            yield NotedTable(
                parent._meta.db_table,
                own,
                watched=columns,
                inside=(meta.db_table, _inherited_key(model, parent)),
                events=("update",),
            )


def relation_tables(
    model: type[models.Model], fields: Iterable[models.ManyToManyField[Any, Any]], using: str
) -> Iterator[NotedTable]:
    """The tables of many-to-many fields whose entries belong to what the row says."""
    for field in fields:
        through: Any = field.remote_field.through
        link = through._meta.get_field(field.m2m_field_name())
        yield NotedTable(through._meta.db_table, _key([link], using))


def link_table(link: Any, using: str) -> NotedTable:
    """The table of a child model: a parent's row is another thing once it is a row of the child, too."""
    return NotedTable(link.model._meta.db_table, _key([link], using), watched=())


def referring_tables(
    model: type[models.Model],
    related: Any,
    path: str,
    columns: frozenset[str] | None,
    using: str,
    key_fields: Iterable[Any] | None = None,
) -> Iterator[NotedTable]:
    """The tables of rows that are watched: where one changes, those that refer to it are noted.

    They are noted by their primary key, or always as a list by `key_fields`.
    """
    first, *further = _foreign_keys(model, path)
    steps = tuple(Step(one.model._meta.db_table, one.model._meta.pk.column, one.column) for one in further)
    key = _key(model._meta.pk_fields if key_fields is None else key_fields, using)
    for owner in (related, *related._meta.get_parent_list()):
        watched = _columns(owner._meta.local_concrete_fields, columns)
        if watched == ():
            continue
        if owner is not related:
            _inherited_key(related, owner)  # both rows have one key, or triggers find nothing
        yield NotedTable(
            owner._meta.db_table,
            _key([owner._meta.pk], using),
            watched=watched,
            referring=Referring(model._meta.db_table, first.column, key, steps),
            as_list=len(key) > 1 or key_fields is not None,
            events=("update",),
        )


def _foreign_keys(model: Any, path: str) -> list[Any]:
    """The keys that a path leads over, each in the table of its own model and to a primary key."""
    found: list[Any] = []
    for name in path.split("__"):
        field = model._meta.get_field(name)
        if field.model is not model or field.target_field is not field.related_model._meta.pk:
            raise NoCapture(
                f"watch leads over {path.replace('__', '.')}, and triggers only over keys to primary keys, "
                f"each in the table of its own model: {name} is not such a key"
            )
        found.append(field)
        model = field.related_model
    return found


def pair_table(
    model: type[models.Model], fields: Iterable[Any], watched: frozenset[str] | None, using: str
) -> NotedTable:
    """A table whose rows are known by several columns, and not by their primary key."""
    table = model._meta.db_table
    fields = list(fields)
    if any(field.model._meta.db_table != table for field in fields):
        raise NoCapture(f"{model._meta.label} has its keys in the table of a parent")
    columns = _columns(model._meta.local_concrete_fields, watched)
    return NotedTable(table, _key(fields, using), as_list=True, watched=columns)


def _inherited_key(model: Any, parent: Any) -> str:
    """The column of the child's key, which holds that of its parent."""
    pk = model._meta.pk
    if pk.remote_field and model._meta.get_ancestor_link(parent) is pk:
        return str(pk.column)
    raise NoCapture(f"the key of {model._meta.label} is not that of {parent._meta.label}")


def _columns(fields: Iterable[Any], watched: frozenset[str] | None) -> tuple[str, ...] | None:
    """The columns of those that are watched; None for any, also where one is made of others."""
    if watched is None:
        return None
    found = [field for field in fields if not watched.isdisjoint({field.name, field.attname})]
    if any(getattr(field, "generated", False) for field in found):
        return None
    return tuple(field.column for field in found)


def _key(fields: Iterable[Any], using: str) -> tuple[KeyColumn, ...]:
    return tuple(KeyColumn(field.column, _form(field, using)) for field in fields)


def _form(field: Any, using: str) -> Any:
    last = field
    while last.remote_field:
        last = last.target_field
    if not hasattr(last, "from_db_value"):
        if isinstance(last, models.UUIDField):
            return "hex" if "char(32)" in str(last.db_type(connections[using])) else "uuid"
        if isinstance(last, models.IntegerField):
            return "number"
        if isinstance(last, models.CharField | models.TextField):
            return "text"
    raise NoCapture(
        f"{field.model._meta.label}.{field.name} is a key of type {type(last).__name__}; "
        "triggers write whole numbers, texts and UUIDs"
    )
