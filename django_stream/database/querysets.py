"""Querysets that hide nothing, and the private API of Django's querysets with why no public way will do."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet


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
