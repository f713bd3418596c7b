"""MariaDB from 10.6 on: the server's statements in its words."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary
from zlib import crc32

from django.conf import settings
from django.db import IntegrityError, NotSupportedError

from django_stream.database.dialect import Dialect, Fragment
from django_stream.database.spelling import spelled

EXACT = "utf8mb4_nopad_bin"
"""The collation in which texts are equal exactly when they are the same, spaces at the end included."""
TURNS = "django_stream_turn"
"""A table of numbers, whose rows are locked by who has a turn."""
TURNS_MAX = 4096
OLDEST = (10, 6)
"""It has JSON_TABLE and SKIP LOCKED."""

_DUPLICATE = 1062
_TEXT = f"CHARACTER SET utf8mb4 COLLATE {EXACT}"
_TYPES = {
    "bigint": "BIGINT",
    "boolean": "TINYINT",
    "text": f"LONGTEXT {_TEXT}",
    "uuid": f"CHAR(32) {_TEXT}",
}


def is_mariadb(connection: Any) -> bool:
    """Whether a connection that Django calls MySQL's is to MariaDB, and one that is new enough.

    Django documents nothing that tells it.
    """
    return bool(connection.mysql_is_mariadb and connection.mysql_version >= OLDEST)


_galera: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def is_galera(connection: Any) -> bool:
    """Whether a connection is to a node of a Galera cluster; asked once."""
    if connection not in _galera:
        with connection.cursor() as cursor:
            cursor.execute("SHOW VARIABLES LIKE 'wsrep_on'")
            _galera[connection] = (cursor.fetchone() or ("", "OFF"))[1] == "ON"
    return _galera[connection]


class MariaDB(Dialect):
    __slots__ = ()

    names_conflicts = False
    last_first = " ORDER BY id DESC"

    def spelled(self, text: str) -> str:
        return spelled(text)

    def lock(self, strength: str = "UPDATE") -> str:
        return " FOR UPDATE"

    def row_locks(self, **options: Any) -> dict[str, Any]:
        return {}

    def turn(self, of: str, number: int, *, wait: bool = True) -> Fragment:
        # Its own locks by name outlast a transaction, and would stay when it is rolled back. Two that share
        # a number only wait in vain.
        text = f"SELECT 1 FROM {TURNS} WHERE number = %s{self.lock() if wait else self.lock_free()}"
        with self.connection.cursor() as cursor:
            cursor.execute(text, [(crc32(of.encode()) + number) % TURNS_MAX])
            has_it = cursor.fetchone() is not None
        if wait and not has_it:
            raise NotSupportedError(f"the table {TURNS} lacks rows: run `python manage.py migrate`")
        return Fragment("1 = 1" if has_it else "1 = 0")

    def claim(self, numbers: Collection[int]) -> None:
        # What two nodes have written, one of them does again. Two that share a number only do so in vain.
        if numbers and is_galera(self.connection):
            rows = sorted({number % TURNS_MAX for number in numbers})
            with self.connection.cursor() as cursor:
                cursor.execute(f"UPDATE {TURNS} SET taken = taken + 1 WHERE number IN %s", [rows])

    def param(self, value: Any) -> Any:
        return value.hex if isinstance(value, UUID) else super().param(value)

    def one_of(self, column: str, values: Collection[Any], *, uuids: bool = False) -> Fragment:
        return super().one_of(column, values, uuids=uuids) if values else Fragment("1 = 0")

    def if_short(self, column: str, most: int) -> str:
        name = self.name(column)
        return f"CASE WHEN char_length({name}) <= {most:d} THEN {name} END"

    def time_text(self, column: str) -> str:
        # Stored without a zone, in UTC where USE_TZ is True.
        text = self.time_in_array(column)
        return f"CONCAT({text}, '+00')" if settings.USE_TZ else text

    def time_of_text(self, expression: str) -> str:
        return f"CAST({expression} AS DATETIME(6))"

    def json_text(self, column: str, key: str) -> str:
        return f"JSON_VALUE({self.name(column)}, '$.\"{key}\"')"

    def json_array(self, *expressions: str) -> str:
        return f"JSON_ARRAY({', '.join(expressions)})"

    def time_in_array(self, column: str) -> str:
        return f"CAST({self.name(column)} AS CHAR)"

    def given(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Fragment:
        typed = ", ".join(
            f"{self.name(column)} {_TYPES[kind]} PATH '$[{place}]'"
            for place, (column, kind) in enumerate(columns.items())
        )
        prepared = [[value.hex if isinstance(value, UUID) else value for value in row] for row in rows]
        return Fragment(f"JSON_TABLE(%s, '$[*]' COLUMNS ({typed})) AS given", [json.dumps(prepared)])

    def join_some(self, table: str, alias: str, where: Fragment, order: str, limit: int) -> Fragment:
        # It has no LATERAL, and no LIMIT inside of IN: those chosen are all up to the last of them.
        within, end = (">=", 0) if order == "DESC" else ("<=", 2**63 - 1)
        same = re.sub(r"\bx\.", f"{alias}.", where.text)
        last = f"SELECT x.id FROM {table} x WHERE {where.text} ORDER BY x.id {order} LIMIT 1 OFFSET "
        if limit == 0:
            return Fragment(f"{table} {alias} ON 1 = 0")
        return Fragment(
            f"{table} {alias} ON {same} AND {alias}.id {within} coalesce(({last}{limit - 1:d}), {end})",
            [*where.params, *where.params],
        )

    def update_from(self, table: str, changes: Fragment, source: Fragment, match: str) -> Fragment:
        text = f"UPDATE {table} JOIN {source.text} ON {match} SET {changes.text}"
        return Fragment(text, [*source.params, *changes.params])

    def insert_missing(self, insert: Fragment, returning: str) -> list[Any]:
        # What it ignores beside conflicts is an error all the same.
        text = insert.text.replace("INSERT", "INSERT IGNORE", 1)
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"SET STATEMENT max_error_count = 65535 FOR {text} RETURNING {self.name(returning)}",
                insert.params,
            )
            made = [value for (value,) in cursor.fetchall()]
            cursor.execute("SHOW WARNINGS")
            for _, code, reason in cursor.fetchall():
                if code != _DUPLICATE:
                    raise IntegrityError(code, reason)
        return made
