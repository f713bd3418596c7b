"""Triggers on tables of any name, with columns of any name, note rows of any content."""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from django_stream.database.triggers import installing
from django_stream.database.triggers.noting import KeyColumn, NotedTable
from django_stream.models import OutboxEntry
from django_stream.publishing import capture

pytestmark = [pytest.mark.django_db, pytest.mark.tables]

NAMES = [
    *(
        "order",
        "Größe",
        "with space",
        "it's",
        "semi;colon",
        "percent%s",
        "new",
        "old",
        "found",
        "tg_op",
        "r",
        "changed",
    ),
    *("$body$", "-- comment", "/* x", "noted_key", "back`tick", "back\\slash", "x" * 60),
    # As Django takes it, a quotation mark inside a name is written twice.
    *("a.b", "OLD.x", "r.", 'quotation""mark', "select", "s p.a c.e"),
]
if connection.vendor == "mysql":  # where Django itself does not quote it
    NAMES.remove("back`tick")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)


def quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("%", "%%").replace("?", "%s") if params else sql, params or None)


_made: set[str] = set()


@pytest.fixture(autouse=True)
def _no_tables_stay() -> Iterator[None]:
    yield
    _drop_tables()


def _drop_tables() -> None:
    while _made:
        name = _made.pop()
        if not connection.features.can_rollback_ddl:
            execute(f"DROP TABLE {name}")


class Table:
    """A table with a key of text and of a number, and a watched column beside one that is not."""

    def __init__(self, name: str, key: str, watched: str) -> None:
        self.name, self.key, self.watched = quoted(name), quoted(key), quoted(watched)
        # MariaDB takes the beginning of a text for a key, and its short texts are short ones.
        begin, text = ("(200)", "longtext") if connection.vendor == "mysql" else ("", "text")
        execute(
            f"CREATE TABLE {self.name} ({self.key} {text}, number bigint, {self.watched} {text}, other text, "
            f"PRIMARY KEY ({self.key}{begin}, number))"
        )
        _made.add(self.name)
        columns = (KeyColumn(key, "text"), KeyColumn("number", "number"))
        self.noted = NotedTable(name, columns, as_list=True, watched=(watched,))
        wanted = installing.difference([(self.noted, capture._note("odd.Table"))], connection.alias)  # noqa: SLF001
        installing.apply(wanted, connection.alias)

    def insert(self, key: str, number: int, watched: str | None, other: str = "") -> None:
        execute(f"INSERT INTO {self.name} VALUES (?, ?, ?, ?)", key, number, watched, other)

    def update(self, column: str, value: str | None) -> None:
        execute(f"UPDATE {self.name} SET {column} = ?", value)


def noted() -> list[str]:
    keys = list(OutboxEntry.objects.filter(model_label="odd.Table").values_list("object_key", flat=True))
    OutboxEntry.objects.all().delete()
    return keys


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["name", "key", "watched"])
def test_names_are_names_and_nothing_else(place: str, name: str) -> None:
    table = Table(
        **{"name": "plain", "key": "a", "watched": "b", place if place != "table" else "name": name}
    )
    table.insert("k", 1, "x")
    assert noted() == ['["k","1"]']
    table.update(table.watched, "y")
    assert noted() == ['["k","1"]']
    table.update(table.watched, "y")
    table.update("other", "z")
    assert noted() == []
    execute(f"DELETE FROM {table.name}")
    assert noted() == ['["k","1"]']
    assert installing.difference([(table.noted, capture._note("odd.Table"))], connection.alias).missing == {}  # noqa: SLF001


@given(texts, st.integers(-(2**63), 2**63 - 1), texts, texts)
@example("'", 0, "$body$", "'); DROP TABLE x; --")
@example("NaN", -(2**63), "x" * 100_000, "")
@run_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_content_is_content_and_nothing_else(key: str, number: int, before: str, after: str) -> None:
    with transaction.atomic():
        table = Table("any content", "a", "b")
        table.insert(key, number, before)
        expected = dumps([key, str(number)], separators=(",", ":"), ensure_ascii=False)
        expected_keys = [expected] if len(expected) <= 255 else []
        assert noted() == expected_keys
        table.update("b", after)
        assert noted() == (expected_keys if before != after else [])
        table.update("b", None)
        assert noted() == expected_keys
        transaction.set_rollback(True)
    _drop_tables()
