"""Triggers of PostgreSQL: one call for each statement, however many rows it changes."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from django_stream.database.triggers.base import PREFIX, Place, Trigger, Triggers
from django_stream.database.triggers.noting import KeyColumn, NotedTable

_REFERENCING = {
    "insert": "REFERENCING NEW TABLE AS new_rows",
    "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "REFERENCING OLD TABLE AS old_rows",
    "truncate": "",
}


class PostgreSQLTriggers(Triggers):
    """Each has a function of its own.

    Other programs, with other roles and search paths, change the rows too: the functions run with the
    rights of who installed them, and name every table with its schema.
    """

    def installed(self) -> dict[str, str]:
        found = self.rows(
            "SELECT t.tgname, CAST(CAST(t.tgfoid AS regprocedure) AS text) FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid "
            f"WHERE starts_with(t.tgname, '{PREFIX}') AND t.tgenabled <> 'D' AND pg_table_is_visible(c.oid)"
        )
        return {name: f"DROP FUNCTION IF EXISTS {function} CASCADE" for name, function in found}

    def placed(self, table: str) -> str:
        name = self.column(table)
        found = self.rows(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c "
            f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({self.literal(name)})"
        )
        return str(found[0][0]) if found else name

    def statements(self, trigger: Trigger, place: Place) -> Sequence[str]:
        name, noted, note, event = trigger
        insert = self.insert(note, place, self._keys(noted, event, place), several="count(*) OVER () > 1")
        # A column may be called as a variable is: new, old, found.
        body = (
            "#variable_conflict use_column "
            f"BEGIN {insert}; IF FOUND THEN PERFORM pg_notify({self.literal(note.channel)}, ''); END IF; "
            "RETURN NULL; END"
        )
        function = f"{place(note.table).rpartition('.')[0] or 'public'}.{name}()"
        when = "BEFORE" if event == "truncate" else "AFTER"
        return (
            f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path = pg_catalog, pg_temp AS ${name}$ {body} ${name}$",
            f"CREATE TRIGGER {name} {when} {event.upper()} ON {self.column(noted.table)} "
            f"{_REFERENCING[event]} FOR EACH STATEMENT EXECUTE FUNCTION {function}",
        )

    def _keys(self, noted: NotedTable, event: str, place: Place) -> str:
        changed = {
            "insert": "new_rows",
            "delete": "old_rows",
            "truncate": place(noted.table),
            "update": self._updated(noted),
        }[event]
        only = f" WHERE {self.exists_inside(noted, 'r', place)}" if noted.inside else ""
        if referring := noted.referring:
            joined, column = self.referring(referring, place)
            return (
                f"SELECT DISTINCT {self.key(noted, 'p')} AS noted_key FROM {joined} "
                f"JOIN {changed} r ON {column} = {self.column(noted.key[0].name, 'r')}"
            )
        return f"SELECT DISTINCT {self.key(noted, 'r')} AS noted_key FROM {changed} r{only}"

    def _updated(self, noted: NotedTable) -> str:
        """Rows whose key or watched columns are not those of any row before, and the other way round."""
        keys = [self.column(column.name) for column in noted.key]
        if noted.watched is None:
            columns = ", ".join(keys)
            return f"(SELECT {columns} FROM new_rows UNION ALL SELECT {columns} FROM old_rows)"
        # As texts, since some types cannot be compared.
        watched = [
            f"CAST({self.column(name)} AS text) AS {self.column(f'watched_{place}')}"
            for place, name in enumerate(noted.watched)
        ]
        columns = ", ".join(keys + watched)
        new, old = (f"SELECT {columns} FROM {rows}" for rows in ("new_rows", "old_rows"))
        return f"(({new} EXCEPT {old}) UNION ALL ({old} EXCEPT {new}))"

    def text(self, column: str, key: KeyColumn) -> str:
        return f"CAST({column} AS text)"

    def as_list(self, texts: Sequence[str]) -> str:
        return "'[' || " + " || ',' || ".join(f"CAST(to_json({text}) AS text)" for text in texts) + " || ']'"

    def moment(self, seconds: float) -> str:
        now = "clock_timestamp()"
        if not settings.USE_TZ:
            now = f"clock_timestamp() AT TIME ZONE {self.literal(settings.TIME_ZONE)}"
        return f"({now}) + make_interval(secs => {float(seconds)})"

    def literal(self, value: str | int | bool) -> str:
        return str(value).upper() if isinstance(value, bool) else super().literal(value)
