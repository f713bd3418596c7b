"""One person, by every name that feeds know them by: what an export and an erasure look for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Person:
    """Whoever is to be exported or erased."""

    user_ids: frozenset[str]
    """Their part of feed ids, and their name as a user of the API: nearly always the same."""
    references: frozenset[str]
    """How activities name them: `auth.User:1`, `SU:1`."""
    feeds: frozenset[str] = frozenset()
    """The ids of their feeds, as far as these are known."""
    words: frozenset[str] = frozenset()
    """Their name, mail address and the like; only for the search after an erasure."""

    @property
    def names(self) -> frozenset[str]:
        """As what an activity's actor may stand for them."""
        return self.references | self.user_ids

    @property
    def needles(self) -> list[str]:
        """What a database can look for; `is_named_in` tells whether it is them."""
        return sorted(self.references | self.feeds | self.words)

    @cached_property
    def _named(self) -> re.Pattern[str]:
        named = "|".join(map(re.escape, self.needles)) or "(?!)"
        # `auth.User:1` is neither in `auth.User:12` nor, as a feed, in `shop.auth.User:1`.
        return re.compile(rf"(?<![^\W_])(?<![.:])(?:{named})(?![^\W_])", re.IGNORECASE)

    def is_named_in(self, text: str) -> bool:
        """Whether a text contains one of their names, and not merely a longer one."""
        return self._named.search(text) is not None

    def is_in(self, content: Any) -> bool:
        """Whether a text somewhere in JSON is one of their names: the whole text, and not a part."""
        exact = self.names | self.feeds
        return any(text in exact for text in _texts(content))


class Held(NamedTuple):
    """Something that is stored of a person."""

    section: str
    item: dict[str, Any]
    path: str = ""
    """Of a file: its name in the storage."""


class Mention(NamedTuple):
    """Where a person is still named."""

    table: str
    column: str
    row: str


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield str(name)
            yield from _texts(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value)
