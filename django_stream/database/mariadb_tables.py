"""What our tables need on MariaDB, and no migration of Django's gives them.

Texts compare exactly there only by a collation that says so, and of a unique constraint with a condition
nothing would be left. `migrate` brings this about whenever it has run, also for tables that are yet to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q, UniqueConstraint
from django.db.models.signals import post_migrate

from django_stream.database.mariadb import EXACT, TURNS, TURNS_MAX, is_mariadb

_Models = Sequence[type[Model]]


def follow_migrations(app: AppConfig, *, takes_turns: bool = False) -> None:
    """Prepare the tables of an app after each `migrate`."""

    def prepare(app_config: AppConfig, using: str, **_: Any) -> None:
        if speaks_mariadb(using):
            for statement in lacking(list(app_config.get_models()), using, takes_turns=takes_turns):
                with connections[using].cursor() as cursor:
                    cursor.execute(statement)

    post_migrate.connect(prepare, sender=app, weak=False, dispatch_uid=f"{app.label}.mariadb")


def speaks_mariadb(using: str) -> bool:
    """Whether a database is MariaDB, and not too old."""
    connection = connections[using]
    return connection.vendor == "mysql" and is_mariadb(connection)


def lacking(models_: _Models, using: str, *, takes_turns: bool = False) -> Iterator[str]:
    """The statements that are still to be run, each of which may be run again."""
    connection = connections[using]
    columns, checked = _columns(connection, models_), _checked(connection)
    for model in models_:
        table, there = model._meta.db_table, columns.get(model._meta.db_table, {})
        if not all(map(_is_exact, there.values())) and not _refers_by_text(model, there):
            yield f"ALTER TABLE `{table}` CONVERT TO CHARACTER SET utf8mb4 COLLATE {EXACT}"
        for column in sorted(checked.get(table, ())):
            yield _unchecked(model, column)
        for one in model._meta.constraints:
            if isinstance(one, UniqueConstraint) and one.condition is not None:
                yield from _unique(model, one, there)
    if takes_turns and columns:
        yield from _turns(connection)


def _columns(connection: BaseDatabaseWrapper, models_: _Models) -> dict[str, dict[str, tuple[str, str]]]:
    """{table: {column: its type or "virtual", and its collation or ""}} of the tables that are there."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, if(extra LIKE 'VIRTUAL%%', 'virtual', data_type), "
            "coalesce(collation_name, '') "
            "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN %s",
            [tuple(model._meta.db_table for model in models_)],
        )
        for table, column, kind, collation in cursor.fetchall():
            found.setdefault(table, {})[column] = kind, collation
    return found


def _checked(connection: BaseDatabaseWrapper) -> dict[str, set[str]]:
    """{table: its columns that the database holds to be JSON}."""
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            # Its name stays the same when a column is renamed.
            "SELECT table_name, trim(TRAILING '`)' FROM substr(check_clause, 13)) "
            "FROM information_schema.check_constraints "
            "WHERE constraint_schema = DATABASE() AND level = 'Column' AND check_clause LIKE 'json_valid%%'"
        )
        for table, column in cursor.fetchall():
            found.setdefault(table, set()).add(column)
    return found


def _unchecked(model: type[Model], column: str) -> str:
    """JSON as a text that is only a text: its check refuses what nests deeper than 32 levels."""
    field = next(one for one in model._meta.concrete_fields if one.column == column)
    null = "NULL" if field.null else "NOT NULL"
    return (
        f"ALTER TABLE `{model._meta.db_table}` "
        f"MODIFY `{column}` longtext CHARACTER SET utf8mb4 COLLATE {EXACT} {null}"
    )


def _is_exact(column: tuple[str, str]) -> bool:
    # JSON is a long text of a collation of its own, and nobody compares it.
    return column[1] in ("", EXACT) or column == ("longtext", "utf8mb4_bin")


def _refers_by_text(model: type[Model], there: dict[str, tuple[str, str]]) -> bool:
    """Such a column must have the collation of the table that it refers to."""
    related = [str(one.column) for one in model._meta.concrete_fields if one.is_relation]
    return any(there.get(column, ("", ""))[1] for column in related)


def _unique(
    model: type[Model], constraint: UniqueConstraint, there: dict[str, tuple[str, str]]
) -> Iterator[str]:
    """A unique constraint with a condition: a column that is null where that does not hold makes it.

    It is stored: for an index of a virtual column, InnoDB's purge opens the table, and on a Galera node of
    10.11.19 it was seen to try so for ever, until it had taken all memory.
    """
    names = [_column(model, name) for name in constraint.fields]
    mark = f"{constraint.name}_if"
    is_virtual = there.get(mark, ("", ""))[0] == "virtual"
    if (mark not in there or is_virtual) and there.keys() >= set(names):
        listed = ", ".join(f"`{name}`" for name in (*names, mark))
        former = f"DROP INDEX IF EXISTS `{constraint.name}`, DROP COLUMN `{mark}`, " if is_virtual else ""
        assert constraint.condition is not None
        yield (
            f"ALTER TABLE `{model._meta.db_table}` {former}"
            f"ADD COLUMN `{mark}` tinyint AS (CASE WHEN {_text(model, constraint.condition)} THEN 1 END) "
            f"STORED, ADD UNIQUE `{constraint.name}` ({listed})"
        )


def _text(model: type[Model], condition: Q) -> str:
    """A condition of the kinds that our constraints have."""
    [(lookup, value)] = condition.children  # type: ignore[misc]  # a leaf
    name, _, kind = lookup.partition("__")
    column = f"`{_column(model, name)}`"
    assert (kind, value) in (("isnull", True), ("isnull", False), ("", "")), condition
    text = f"{column} = ''" if kind == "" else f"{column} IS {'NULL' if value else 'NOT NULL'}"
    return f"NOT ({text})" if condition.negated else text


def _column(model: type[Model], field: str) -> str:
    return next(str(one.column) for one in model._meta.concrete_fields if one.name == field)


def _turns(connection: BaseDatabaseWrapper) -> Iterator[str]:
    with connection.cursor() as cursor:
        there = TURNS in connection.introspection.table_names(cursor)
        columns = connection.introspection.get_table_description(cursor, TURNS) if there else []
        numbers = 0
        if there:
            cursor.execute(f"SELECT count(*) FROM {TURNS}")
            (numbers,) = cursor.fetchone()
    if not there:
        yield f"CREATE TABLE {TURNS} (number int PRIMARY KEY, taken bigint NOT NULL DEFAULT 0) ENGINE InnoDB"
    elif "taken" not in [one.name for one in columns]:
        yield f"ALTER TABLE {TURNS} ADD COLUMN taken bigint NOT NULL DEFAULT 0"
    if numbers < TURNS_MAX:
        yield f"INSERT IGNORE INTO {TURNS} (number) SELECT seq FROM seq_0_to_{TURNS_MAX - 1}"
