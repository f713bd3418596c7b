"""The planner's statistics of tables that a run has just filled."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connections, models


def analyze(models_: Iterable[type[models.Model]], using: str) -> None:
    """Have PostgreSQL count these tables anew; until autovacuum does, it takes them for empty ones."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in models_:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def never_analyzed(models_: Iterable[type[models.Model]], using: str) -> list[str]:
    """Tables that have rows and no statistics, on PostgreSQL: each plan for them is a guess."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return []
    filled = [one._meta.db_table for one in models_ if one._base_manager.using(using).exists()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE reltuples < 0 AND oid = ANY(%s::regclass[]) ORDER BY 1",
            [[connection.ops.quote_name(table) for table in filled]],
        )
        return [name for (name,) in cursor.fetchall()]
