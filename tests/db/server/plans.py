"""How the database goes about the statements of a call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import connection, models, transaction

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
EXPLAINED = ("SELECT", "UPDATE", "DELETE")
MANY = 40_000
LISTS = {"to", "target_feeds", "keys", "kept", "feeds", "targets"}


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


def plan(sql: str, params: Any, options: str = "") -> Any:
    """PostgreSQL's plan of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}FORMAT JSON) {sql}", params)
        [[found]] = cursor.fetchall()
    return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def plans_while_run(call: Callable[[], Any]) -> list[tuple[str, Any]]:
    """The statements of a call, also those that change something, with what PostgreSQL did for each."""
    found = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not busy and sql.startswith((*EXPLAINED, "INSERT")) and "advisory" not in sql:
            busy.append(sql)
            with transaction.atomic():
                found.append((sql, plan(sql, params, "ANALYZE, TIMING OFF, ")))
                transaction.set_rollback(True)
            busy.clear()
        return execute(sql, params, many, context)

    busy: list[str] = []
    with connection.execute_wrapper(note):
        call()
    return found


def scanned(part: dict[str, Any]) -> tuple[int, str]:
    """How many rows a part of a plan read, those that a filter left out included, and of what."""
    if "Scan" not in part["Node Type"] or part["Node Type"] == "Subquery Scan":
        return 0, ""
    rows = part["Actual Rows"] + part.get("Rows Removed by Filter", 0)
    of = part.get("Index Name") or part.get("Relation Name")
    return round(rows * part["Actual Loops"]), f"{part['Node Type']} {of}"


def forget_how_full() -> None:
    """An ANALYZE that another test took back has left behind how full it found each table and index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET relpages = 0, reltuples = -1 "
            "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i')"
        )


def fill(model: type[models.Model], begin: int = 1_000_000, **values: str) -> None:
    """With many rows that belong to nothing, but for the columns of which the values are given as SQL."""
    fields = model._meta.concrete_fields
    columns = [field for field in fields if not isinstance(field, models.CompositePrimaryKey)]
    names = ", ".join(connection.ops.quote_name(field.column) for field in columns)
    chosen = ", ".join(values.get(field.column) or _value(field, f"({begin} + n)") for field in columns)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) "
            f"SELECT {chosen} FROM generate_series(1, {MANY}) AS s(n)"
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def _value(field: Any, unseen: str) -> str:
    if field.choices:
        return f"'{field.choices[0][0]}'"
    kind = field.db_type(connection).split("(")[0]
    is_key = field.primary_key or field.is_relation
    return {
        "uuid": f"lpad(to_hex({unseen}), 32, '0')::uuid",
        "jsonb": "'[]'" if field.column in LISTS else "'{}'",
        "boolean": "false",
        "timestamp with time zone": "now() - n * interval '1 minute'",
        "date": "now()",
        "text": f"'x' || {unseen}",
        "varchar": f"'x' || {unseen}",
        "double precision": "n",
        "smallint": "1",
        "integer": unseen if is_key else "1",
        "bigint": unseen,
    }[kind]
