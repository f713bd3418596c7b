"""Statements in one form, so that a test can name them whatever the database."""

from __future__ import annotations

import re

_OPTIONS = re.compile(r"^SET STATEMENT \S+ = \S+ FOR ")
_DELETION = re.compile(r"^DELETE (\S+) FROM \1(?!\S)")


def plain(sql: str) -> str:
    """A statement as PostgreSQL and SQLite get it, as far as MariaDB's dialect gives it another beginning."""
    text = _OPTIONS.sub("", sql).replace("`", '"').replace("INSERT IGNORE", "INSERT", 1)
    return _DELETION.sub(r"DELETE FROM \1", text)
