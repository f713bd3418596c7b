"""Two streams of any size, compared on disk: neither side need be in order, and neither is in memory."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Self

from django_stream.database.batches import batched
from django_stream.operations.comparison import UNREADABLE, Difference, DifferenceKind, Entry

_CHUNK = 500
_encoded = json.JSONEncoder().encode
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
CREATE TABLE entry (side, place, thing, state, label, key, record);
CREATE TABLE looked (label, key);
"""


class Side(IntEnum):
    """Who says that something is there."""

    WANTED = 0
    """The tables."""
    FOUND = 1
    """The feeds, of something that is certainly ours."""
    SEEN = 2
    """The feeds, of something that is ours only if the ledger knows it."""
    KNOWN = 3
    """The ledger."""


# One sort of all entries. What is found counts as extra only where it is ours.
_COMPARED = f"""
CREATE TABLE difference AS
SELECT CASE WHEN NOT wanted THEN 'extra' WHEN should = '{UNREADABLE}' THEN 'unreadable'
         WHEN NOT found THEN 'missing' ELSE 'stale' END AS kind,
       place, thing, substr(owner, 1, instr(owner, char(31)) - 1) AS label,
       substr(owner, instr(owner, char(31)) + 1) AS key, record, known
FROM (
  -- Several objects may want the same thing: label and key are those of one of them.
  SELECT place, thing,
    max(side = {Side.WANTED}) AS wanted,
    max(side IN ({Side.FOUND}, {Side.SEEN})) AS found,
    max(side IN ({Side.FOUND}, {Side.KNOWN})) AS ours,
    max(side = {Side.KNOWN}) AS known,
    max(CASE WHEN side = {Side.WANTED} THEN state END) AS should,
    max(CASE WHEN side IN ({Side.FOUND}, {Side.SEEN}) THEN state END) AS is_now,
    max(label || char(31) || key) AS owner,
    max(CASE WHEN side IN ({Side.FOUND}, {Side.SEEN}) THEN record END) AS record
  FROM entry GROUP BY place, thing
)
WHERE (wanted AND NOT found) OR (wanted AND should IS NOT is_now) OR (found AND ours AND NOT wanted);
CREATE INDEX difference_thing ON difference (thing, kind);
-- Of a row that cannot be read nobody knows where it should be: it may want what has no key.
DELETE FROM difference WHERE kind = 'extra' AND CASE key
  WHEN '' THEN EXISTS (SELECT 1 FROM difference row WHERE row.kind = '{UNREADABLE}')
  ELSE EXISTS (
    SELECT 1 FROM difference row
    WHERE row.thing = difference.key AND row.kind = '{UNREADABLE}' AND row.place = difference.label)
  END;
"""
_MOVED = """
UPDATE difference SET kind = 'misplaced'
WHERE kind = 'extra' AND EXISTS (
  SELECT 1 FROM difference other WHERE other.thing = difference.thing AND other.kind = 'missing');
"""


class Spool:
    """A temporary SQLite file of our own, gone at the end of the `with` block."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="django_stream_")
        self._file = sqlite3.connect(Path(self._folder.name) / "entries.sqlite3")
        self._file.executescript(_SCHEMA)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()
        self._folder.cleanup()

    def add(self, side: Side, entries: Iterable[Entry]) -> int:
        """Keep what one side says; returns how much it was."""
        count = 0
        for some in batched(entries, 1000):
            rows = [
                (
                    int(side),
                    one.place,
                    one.thing,
                    one.state,
                    one.label,
                    one.key,
                    None if one.record is None else _encoded(one.record),
                )
                for one in some
            ]
            self._file.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            count += len(some)
        return count

    def look(self, label: str, keys: Iterable[str]) -> None:
        """The tables were asked for these objects."""
        self._file.executemany("INSERT INTO looked VALUES (?, ?)", ((label, key) for key in keys))

    def not_looked_at(self, label: str, keys: Sequence[str]) -> list[str]:
        """Those of the keys that the tables were not asked for."""
        self._file.execute("CREATE INDEX IF NOT EXISTS looked_key ON looked (label, key)")
        text = (
            "SELECT value FROM json_each(?) WHERE NOT EXISTS "
            "(SELECT 1 FROM looked WHERE looked.label = ? AND looked.key = value)"
        )
        return [key for (key,) in self._file.execute(text, (json.dumps(keys), label))]

    def places(self) -> Iterator[list[str]]:
        """Where something is wanted or known, in order and several at a time."""
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS place AS SELECT DISTINCT place FROM entry ORDER BY place"
        )
        last = 0
        text = "SELECT rowid, place FROM place WHERE rowid > ? ORDER BY rowid LIMIT ?"
        while rows := self._file.execute(text, (last, _CHUNK)).fetchall():
            last = rows[-1][0]
            yield [place for _, place in rows]

    def things(self) -> Iterator[list[str]]:
        """What is wanted or known of any feed, each once, in order and several at a time."""
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS thing AS "
            "SELECT DISTINCT thing FROM entry WHERE place LIKE '%:%' ORDER BY thing"
        )
        last = 0
        text = "SELECT rowid, thing FROM thing WHERE rowid > ? ORDER BY rowid LIMIT ?"
        while rows := self._file.execute(text, (last, _CHUNK)).fetchall():
            last = rows[-1][0]
            yield [thing for _, thing in rows]

    def has(self, place: str) -> bool:
        """Whether something is wanted or known there."""
        self._file.execute("CREATE INDEX IF NOT EXISTS place_name ON place (place)")
        return self._file.execute("SELECT 1 FROM place WHERE place = ?", (place,)).fetchone() is not None

    def things_at(self, place: str) -> Iterator[list[str]]:
        """What is wanted or known in a place, several at a time."""
        self._file.execute("CREATE INDEX IF NOT EXISTS entry_place ON entry (place, thing)")
        last = ""
        text = "SELECT DISTINCT thing FROM entry WHERE place = ? AND thing > ? ORDER BY thing LIMIT ?"
        while rows := self._file.execute(text, (place, last, _CHUNK)).fetchall():
            last = rows[-1][0]
            yield [thing for (thing,) in rows]

    def absent(self, place: str, things: Sequence[str]) -> set[str]:
        """Those that nobody has named so far, in this place."""
        self._file.execute("CREATE INDEX IF NOT EXISTS entry_place ON entry (place, thing)")
        text = (
            "SELECT value FROM json_each(?) WHERE NOT EXISTS "
            "(SELECT 1 FROM entry WHERE entry.place = ? AND entry.thing = value)"
        )
        return {thing for (thing,) in self._file.execute(text, (json.dumps(things), place))}

    def compare(self) -> None:
        """Tell by what the sides differ, once all is in."""
        self._file.executescript(_COMPARED)

    def unexplained(self, label: str) -> Iterator[list[str]]:
        """Keys of what seems to be extra, and the ledger does not know; "" of what no key is known of."""
        last = 0
        text = (
            "SELECT rowid, key FROM difference WHERE rowid > ? AND kind = 'extra' AND NOT known "
            "AND label = ? ORDER BY rowid LIMIT ?"
        )
        while rows := self._file.execute(text, (last, label, _CHUNK)).fetchall():
            last = rows[-1][0]
            yield list(dict.fromkeys(key for _, key in rows))

    def spare(self, entries: Iterable[Entry]) -> None:
        """These are not extra after all."""
        text = "DELETE FROM difference WHERE kind = 'extra' AND NOT known AND place = ? AND thing = ?"
        self._file.executemany(text, ((one.place, one.thing) for one in entries))

    def differences(self, *, moves: bool) -> Iterator[Difference]:
        """By which the sides differ, as compared; with `moves`, what is elsewhere is misplaced."""
        if moves:
            self._file.executescript(_MOVED)
        last = 0
        text = (
            "SELECT rowid, kind, place, thing, label, key, record FROM difference "
            "WHERE rowid > ? ORDER BY rowid LIMIT ?"
        )
        while rows := self._file.execute(text, (last, _CHUNK)).fetchall():
            last = rows[-1][0]
            for row in rows:
                yield _difference(*row[1:])


def _difference(
    kind: DifferenceKind, place: str, thing: str, label: str | None, key: str | None, record: str | None
) -> Difference:
    return Difference(kind, place, thing, label or "", key or "", json.loads(record) if record else None)
