"""One person, by every name that feeds know them by: what an export and an erasure look for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

# Of events and records. `id` of a user is none of them: every object has an `id`.
_FIELDS_OF_USERS = frozenset({"actor", "caller", "created_by", "moderator_id", "user_id"})


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

    @property
    def sure_needles(self) -> list[str]:
        """Those that are nobody else's: what is erased is found by these alone."""
        return sorted(self.references | self.feeds)

    @cached_property
    def _named(self) -> re.Pattern[str]:
        return _any_of(self.needles)

    @cached_property
    def _surely_named(self) -> re.Pattern[str]:
        return _any_of(self.sure_needles)

    def is_named_in(self, text: str) -> bool:
        """Whether a text contains one of their names, and not merely a longer one."""
        return self._named.search(text) is not None

    def is_surely_named_in(self, text: str) -> bool:
        """The same without words, which others may have as well: a user may be called "will" or "like"."""
        return self._surely_named.search(text) is not None

    def doubt_of(self, text: str) -> Literal["", "word"]:
        """Of a text that names them: whether it does so by a word alone."""
        return "" if self.is_surely_named_in(text) else "word"

    def is_in(self, content: Any) -> bool:
        """Whether JSON names them: by a whole text, which as a bare id must be where users are named."""
        exact = self.references | self.feeds
        return any(
            text in exact or (field in _FIELDS_OF_USERS and text in self.user_ids)
            for field, text in _texts(content)
        )


def _any_of(needles: list[str]) -> re.Pattern[str]:
    named = "|".join(map(re.escape, needles)) or "(?!)"
    # `auth.User:1` is neither in `auth.User:12` nor, as a feed, in `shop.auth.User:1`.
    return re.compile(rf"(?<![^\W_])(?<![.:])(?:{named})(?![^\W_])", re.IGNORECASE)


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
    doubt: Literal["", "word", "feed"] = ""
    """Why it may be another's: only a word of theirs stands there, or it is a feed of an unknown group."""


def _texts(content: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text in JSON, with the name of the field that it is in, or is a part of the list in."""
    if isinstance(content, str):
        yield field, content
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield "", str(name)
            yield from _texts(value, str(name))
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value, field)
