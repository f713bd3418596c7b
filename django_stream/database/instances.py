"""Instances by primary key or another field, by a statement that Django wrote once.

Most of what a small query costs is Django putting its text together. Of a model whose manager adds nothing,
the text is the same each time, so each thread keeps it. Every other model is read by its queryset.

The text and what converts its values come from Django's compiler, for which there is no public name; the
rows become instances by `Model.from_db`. tests/db/database/ runs this on every supported Django.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, ForeignKey, Manager, Model, QuerySet

from django_stream.database.conditions import Condition
from django_stream.database.dialect import Dialect, Fragment, placeholders
from django_stream.database.statements import Database, Row

MOST = 500
"""More keys than this are left to a queryset, which knows how many each database takes at once."""

# What a queryset may do its own way, and reading by key stays what it is.
_WRITING = {"bulk_create", "bulk_update", "create", "delete", "get_or_create", "update", "update_or_create"}
_OF_CLASSES = {"__doc__", "__module__", "__orig_bases__", "__parameters__", "__reduce__", "as_manager"}
_OF_CLASSES |= {"__firstlineno__", "__static_attributes__", "__annotations__", "__annotate_func__"}

_Convert = Callable[[Any, Any, BaseDatabaseWrapper], Any]


class _Kept(threading.local):
    """The statements of a thread, each for the connection that it was made for."""

    def __init__(self) -> None:
        self.statements: dict[tuple[Any, ...], _Statement] = {}


_kept = _Kept()


@lru_cache(maxsize=1024)
def adds_nothing(model: type[Model]) -> bool:
    """Whether rows of a model, read by its manager, are those of its one table, whenever and by whomever."""
    manager = model._default_manager
    simple = not model._meta.parents and len(model._meta.pk_fields) == 1
    return simple and _reads_all(type(manager)) and _reads_plainly(type(manager.get_queryset()))


def by_key(model: type[Model], using: str, pks: Collection[Any]) -> dict[Any, Any]:
    """The rows with these keys, `MOST` or fewer; only of a model of which `adds_nothing` holds."""
    if not pks:
        return {}
    key: Any = model._meta.pk
    return {row.pk: row for row in matching(model, using, among(key, pks))}


def matching(model: type[Model], using: str, condition: Condition) -> list[Any]:
    """The rows that meet a condition, in no order; only of a model of which `adds_nothing` holds."""
    statement = _statement((model,), lambda: QuerySet(model), using)
    alias, names, from_db = using, statement.names, model.from_db
    return [from_db(alias, names, values) for values in statement.rows(condition)]


def values_by_key(
    model: type[Model], names: Sequence[str], using: str, pks: Collection[Any]
) -> Iterable[Sequence[Any]]:
    """Rows of a model, as its base manager has them, with these keys, by `values_list` of these names."""

    def rows() -> QuerySet[Any]:
        return model._base_manager.using(using).values_list(*names)

    if not pks or len(pks) > MOST or len(model._meta.pk_fields) != 1:
        return rows().filter(pk__in=pks)
    return _statement((model, *names), rows, using).rows(among(model._meta.pk, pks, of=model))


def among(field: Any, values: Collection[Any], of: type[Model] | None = None) -> Condition:
    """A field has one of these values, `MOST` or fewer and at least one; `of` says whose column it is."""

    def made(dialect: Dialect) -> Fragment:
        prepared = _prepared(field, values, dialect.connection)
        # The last once more, so that pages of many sizes share a few texts, which databases prepare.
        prepared += prepared[-1:] * ((1 << (len(prepared) - 1).bit_length()) - len(prepared))
        given = dialect.params(prepared)
        table = f"{dialect.table(of)}." if of else ""
        return Fragment(f"{table}{dialect.name(field.column)} IN {placeholders(given)}", given)

    return made


def _prepared(field: Any, values: Collection[Any], connection: BaseDatabaseWrapper) -> list[Any]:
    """Values as parameters of this field's column. Numbers of automatic keys are such, 0 included."""
    while type(field).get_db_prep_value is ForeignKey.get_db_prep_value:
        field = field.target_field
    prepare = field.get_db_prep_value
    if type(field).get_db_prep_value is AutoField.get_db_prep_value and set(map(type, values)) <= {int}:
        return list(values)
    return [prepare(value, connection, prepared=False) for value in values]


def _statement(key: tuple[Any, ...], rows: Callable[[], QuerySet[Any]], using: str) -> _Statement:
    connection = connections[using]
    statement = _kept.statements.get((using, *key))
    if statement is None or statement.connection is not connection:
        statement = _kept.statements[using, *key] = _Statement(rows(), connection)
    return statement


class _Statement:
    """The text that selects the rows of a queryset without conditions, and what converts their values."""

    def __init__(self, rows: QuerySet[Any], connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._database = Database(connection.alias)
        compiler = rows.order_by().query.get_compiler(connection=connection)
        self._text: str = compiler.as_sql()[0]
        chosen = [column for column, _, _ in compiler.select]
        self.names = [column.target.attname for column in chosen]
        self._converters: list[tuple[int, Sequence[_Convert], Any]] = [
            (place, converters, column)
            for place, (converters, column) in compiler.get_converters(chosen).items()
        ]

    def rows(self, condition: Condition) -> Sequence[Sequence[Any]]:
        where = self._database.where(condition)
        found = self._database.rows(f"{self._text} WHERE {where.text}", where.params)
        return self._converted(found) if self._converters else found

    def _converted(self, rows: Sequence[Row]) -> list[list[Any]]:
        changed = [list(row) for row in rows]
        for place, converters, column in self._converters:
            for row in changed:
                for convert in converters:
                    row[place] = convert(row[place], column, self.connection)
        return changed


def _reads_all(manager: type[Any]) -> bool:
    """Whether the querysets of a manager are Django's, but for what is marked `reads_as_before`."""
    ways = [vars(one)["get_queryset"] for one in manager.__mro__ if "get_queryset" in vars(one)]
    own = [one for one in ways if not getattr(one, "reads_as_before", False)]
    return own[0] is Manager.get_queryset and manager.using is Manager.using


def _reads_plainly(rows: type[Any]) -> bool:
    above = rows.__mro__[: rows.__mro__.index(QuerySet)]
    own = {name for one in above for name in vars(one) if hasattr(QuerySet, name)}
    return own <= _WRITING | _OF_CLASSES
