"""Statements that PostgreSQL and SQLite share, as MariaDB spells them.

Our statements hold names of our own tables, whole numbers and placeholders, so that words can be told from
values by their form alone. What this does not know, MariaDB refuses: nothing means something else there.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.db import NotSupportedError

# Texts stay as they are. `key` is a reserved word, and double quotes would make a text of a name.
_WORD = re.compile(r"('(?:[^']|'')*'|`[^`]*`)|\"(\w+)\"|(?<![\w.])(key)(?!\w)")
_OPERAND = r"(?:[\w.`]+|'[^']*')"
_JOINED = re.compile(rf"{_OPERAND}(?: \|\| {_OPERAND})+")
_FILTERED = re.compile(r"count\(\*\) FILTER \(WHERE ([^()]*)\)")
_KEEP = re.compile(r" ON CONFLICT DO NOTHING")
_INTO = re.compile(r"INSERT INTO (\S+) \(([^,)]+)")
_CHANGE = re.compile(r"ON CONFLICT \([^)]*\) DO UPDATE SET ")
_NEW = re.compile(r"\bexcluded\.(`[^`]+`|\w+)", re.IGNORECASE)
_ALONE = re.compile("RETURNING|ORDER BY id DESC$")
_DELETE = re.compile(r"DELETE FROM (\S+) WHERE ")


_SHORT = 5_000


def spelled(text: str) -> str:
    """A statement of ours for MariaDB."""
    return _known(text) if len(text) <= _SHORT else _spelled(text)


def _spelled(text: str) -> str:
    text = _WORD.sub(_word, text)
    if "||" in text:
        text = _JOINED.sub(lambda found: f"CONCAT({', '.join(found[0].split(' || '))})", text)
        if "||" in text:  # which would be OR
            raise NotSupportedError(f"MariaDB cannot be asked for {text}")
    text = _FILTERED.sub(r"count(CASE WHEN \1 THEN 1 END)", text)
    if text.startswith("INSERT"):
        return _insert(text)
    return _delete(text) if text.startswith("DELETE") else text


_known = lru_cache(maxsize=1024)(_spelled)


def _word(found: re.Match[str]) -> str:
    literal, quoted, word = found.groups()
    return str(literal or f"`{quoted or word}`")


def _insert(text: str) -> str:
    if into := _INTO.match(text):
        # IGNORE would hide all other errors, too.
        table, column = into.groups()
        text = _KEEP.sub(f" ON DUPLICATE KEY UPDATE {table}.{column} = {table}.{column}", text)
    return _NEW.sub(r"VALUES(\1)", _CHANGE.sub("ON DUPLICATE KEY UPDATE ", text))


def _delete(text: str) -> str:
    """As a deletion from a join of one table: for these alone it looks for rows by what subqueries find."""
    found = _DELETE.match(text)
    if found is None or _ALONE.search(text) or f"FROM {found[1]} " in text[found.end() :]:
        return text
    return f"DELETE {found[1]} FROM {found[1]} WHERE {text[found.end() :]}"
