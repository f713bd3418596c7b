"""Triggers of MariaDB and MySQL, which do not call them for what a foreign key's cascade deletes."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from django_stream.database.triggers.base import PREFIX, Place, RowTriggers, Trigger
from django_stream.database.triggers.noting import KeyColumn

# The characters that JSON_QUOTE escapes by digits of which some are letters, and MariaDB writes them large.
_ESCAPED = [f"{number:02X}" for number in range(32) if number % 16 > 9 and number not in (10, 12, 13)]
_BACKSLASH, _UNUSED = "CHAR(92 USING utf8mb4)", "CHAR(1 USING utf8mb4)"


class MySQLTriggers(RowTriggers):
    def installed(self) -> dict[str, str]:
        found = self.rows(
            "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS "
            f"WHERE TRIGGER_SCHEMA = DATABASE() AND LEFT(TRIGGER_NAME, {len(PREFIX)}) = '{PREFIX}'"
        )
        return {name: f"DROP TRIGGER IF EXISTS {name}" for (name,) in found}

    def statements(self, trigger: Trigger, place: Place) -> Sequence[str]:
        name, noted, _, event = trigger
        if event == "truncate":
            return ()
        insert = self.row_insert(trigger, place, self.matters(noted, event))
        table = self.column(noted.table)
        return (f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} FOR EACH ROW {insert}",)

    def differ(self, left: str, right: str) -> str:
        return f"NOT ({left} <=> {right})"

    def text(self, column: str, key: KeyColumn) -> str:
        if key.form == "hex":
            return f"CONCAT_WS('-', {', '.join(self.dashed(column))})"
        return f"CAST({column} AS CHAR)"

    def as_list(self, texts: Sequence[str]) -> str:
        quoted = ", ',', ".join(map(_quoted, texts))
        return f"CONCAT('[', {quoted}, ']')"

    def moment(self, seconds: float) -> str:
        now = "UTC_TIMESTAMP(6)" if settings.USE_TZ else "NOW(6)"
        return f"{now} + INTERVAL {round(seconds * 1000000)} MICROSECOND"


def _quoted(text: str) -> str:
    """A text in JSON, with small letters in escapes; a backslash of the text itself begins none."""
    doubled = f"CONCAT({_BACKSLASH}, {_BACKSLASH})"
    made = f"REPLACE(JSON_QUOTE({text}), {doubled}, {_UNUSED})"
    for digits in _ESCAPED:
        large, small = (f"CONCAT({_BACKSLASH}, 'u00{one}')" for one in (digits, digits.lower()))
        made = f"REPLACE({made}, {large}, {small})"
    return f"REPLACE({made}, {_UNUSED}, {doubled})"
