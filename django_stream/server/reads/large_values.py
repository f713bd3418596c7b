"""Data of rows: small ones come along with their row, large ones are fetched when they are shown.

A page may name thousands of objects of 64 KiB each, and an answer holds a hundred of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from django_stream.database.conditions import Column, if_short

Key = TypeVar("Key")

_SHORT = 2048
_AT_ONCE = 16


def short(column: str) -> Column:
    """The column of a row's data, None where they are large."""
    return if_short(column, _SHORT)


class LargeValues(Generic[Key]):
    """Large data by the keys of their rows. `fetch` reads those of some rows, as text."""

    def __init__(self, fetch: Callable[[Sequence[Key]], Mapping[Key, Any]]) -> None:
        self._fetch = fetch
        self._waiting: dict[Key, None] = {}
        self._found: dict[Key, Any] = {}

    def expect(self, key: Key) -> None:
        """This row's may be asked for; in about the order in which they will be."""
        self._waiting.setdefault(key)

    def get(self, key: Key) -> Any:
        """The data of a row, and a row that is gone since then has none."""
        if key not in self._found:
            self._waiting.pop(key, None)
            keys = [key, *islice(self._waiting, _AT_ONCE - 1)]
            found = self._fetch(keys)
            for one in keys:
                self._waiting.pop(one, None)
                self._found[one] = found.get(one, "{}")
        return self._found[key]
