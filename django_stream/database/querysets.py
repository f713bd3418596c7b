"""Querysets that hide nothing, and the private API of Django's querysets with why no public way will do."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet

from django_stream.database.bulk_sql import among_rows, reads_all_by_a_guess


def all_rows(model: type[Model], using: str) -> QuerySet[Any]:
    """Every row of the table; a manager, the base manager included, may hide some (soft deletion does)."""
    return QuerySet(model=model, using=using)


def write_database(rows: QuerySet[Any]) -> str:
    """The database that a write of this queryset goes to; from now on it is read from there, too.

    A router may name one database for reading and another for writing. `rows.db` is the first until
    Django's own `update()` or `delete()` sets `_for_write`, and only the private `_db` tells whether
    the queryset names a database itself.
    """
    rows._for_write = True  # type: ignore[attr-defined]
    return rows.db


def forget_rows(rows: QuerySet[Any]) -> None:
    """Have the rows read again, as after Django's own `update()`; in public only a new queryset does that."""
    rows._result_cache = None


def listed_rows(manager: Any, using: str | None) -> QuerySet[Any]:
    """The rows that a manager of related rows leads to, one by one also where a table of links lists them.

    Without statistics PostgreSQL takes what one row lists for very much, and would read all that can be.
    Which table it is only the manager knows, and Django documents none of these names.
    """
    rows: QuerySet[Any] = manager.using(using)
    target = getattr(manager, "target_field_name", None)
    if target is None or not reads_all_by_a_guess(rows.db):
        return rows
    end = manager.through._meta.get_field(target)
    links = all_rows(manager.through, rows.db).filter(**{manager.source_field_name: manager.instance})
    return rows.filter(among_rows(end.target_field.attname, links.values(end.attname)))
