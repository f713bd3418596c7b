"""How the database goes about the statements of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
EXPLAINED = ("SELECT", "UPDATE", "DELETE")


def asked_by(call: Callable[[], Any], *also: str) -> dict[str, Any]:
    """Each statement of the call that finds rows, with its parameters."""
    asked: dict[str, Any] = {}

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith((*EXPLAINED, *also)):
            asked[sql] = params
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        call()
    return asked


def plans_of(call: Callable[[], Any]) -> dict[str, list[str]]:
    """Each statement of the call with the steps of its plan, as for tables of any size."""
    asked = asked_by(call)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # which would read a table of few rows from end to end
            cursor.execute("SET LOCAL enable_seqscan = off")
        return {sql: _steps(cursor, sql, params) for sql, params in asked.items()}


def _steps(cursor: Any, sql: str, params: Any) -> list[str]:
    cursor.execute(f"{EXPLAIN[connection.vendor]} {sql}", params)
    return [step for *_, step in cursor.fetchall()]
