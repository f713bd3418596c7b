"""Triggers of SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from django_stream.database.triggers.base import PREFIX, Place, RowTriggers, Trigger
from django_stream.database.triggers.noting import KeyColumn


class SQLiteTriggers(RowTriggers):
    def installed(self) -> dict[str, str]:
        found = self.rows(
            "SELECT name FROM sqlite_master "
            f"WHERE type = 'trigger' AND substr(name, 1, {len(PREFIX)}) = '{PREFIX}'"
        )
        return {name: f"DROP TRIGGER IF EXISTS {name}" for (name,) in found}

    def statements(self, trigger: Trigger, place: Place) -> Sequence[str]:
        name, noted, _, event = trigger
        if event == "truncate":
            return ()
        condition = self.matters(noted, event)
        return (
            f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {event.upper()} ON {self.column(noted.table)} "
            f"{f'WHEN {condition} ' if condition else ''}BEGIN {self.row_insert(trigger, place)}; END",
        )

    def differ(self, left: str, right: str) -> str:
        return f"{left} IS NOT {right}"

    def length(self, text: str) -> str:
        return f"length({text})"

    def text(self, column: str, key: KeyColumn) -> str:
        if key.form == "hex":
            return " || '-' || ".join(self.dashed(column))
        return f"CAST({column} AS text)"

    def as_list(self, texts: Sequence[str]) -> str:
        # Of NULL it makes a text.
        quoted = [f"CASE WHEN {text} IS NOT NULL THEN json_quote({text}) END" for text in texts]
        return "'[' || " + " || ',' || ".join(quoted) + " || ']'"

    def moment(self, seconds: float) -> str:
        zone = "" if settings.USE_TZ else "'localtime', "
        return f"strftime('%Y-%m-%d %H:%M:%f', 'now', {zone}'{float(seconds):+} seconds')"
