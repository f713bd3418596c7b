"""How a database goes about a statement, and whether the indexes that models declare are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db import connections, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

# In the words of SQLite, PostgreSQL and MySQL.
_READS_ALL = re.compile(r"\bSCAN (?!.*USING)|\bSeq Scan\b|(^|\s)ALL(\s|$)", re.MULTILINE)


def reads_all(rows: models.QuerySet[Any]) -> bool:
    """Whether no index serves a query, so that it reads a whole table, however large that becomes."""
    connection = connections[rows.db]
    with transaction.atomic(rows.db):
        if connection.vendor == "postgresql":  # which would read a table of few rows from end to end
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
        plan = rows.explain()
        transaction.set_rollback(True, rows.db)
    return _READS_ALL.search(plan) is not None


def missing_indexes(model: type[models.Model], using: str) -> Iterator[str]:
    """Names of the indexes and unique constraints of a model that the database lacks."""
    connection = connections[using]
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, model._meta.db_table)
    for one in (*model._meta.indexes, *model._meta.constraints):
        is_partial = getattr(one, "condition", None) is not None
        if one.name not in there and (connection.features.supports_partial_indexes or not is_partial):
            yield one.name


def invalid_indexes(models_: list[type[models.Model]], using: str) -> list[str]:
    """Indexes that PostgreSQL keeps and does not use: building them CONCURRENTLY has failed."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
            "JOIN pg_class t ON t.oid = x.indrelid "
            "WHERE NOT x.indisvalid AND t.relname = ANY(%s) ORDER BY 1",
            [[one._meta.db_table for one in models_]],
        )
        return [name for (name,) in cursor.fetchall()]


def seconds_ahead(model: type[models.Model], using: str) -> float | None:
    """By how much the database's clock is ahead of ours; None without a clock of its own, or without rows."""
    if connections[using].vendor == "sqlite":
        return None
    row = model._base_manager.using(using).annotate(moment_there=Now()).values_list("moment_there").first()
    return None if row is None else (row[0] - timezone.now()).total_seconds()
