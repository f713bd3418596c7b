"""What a stream can be about: our names, and those of App.net and pnut where there is a counterpart."""

from __future__ import annotations

from collections.abc import Iterable

KINDS = (
    "activity",
    "reaction",
    "follow",
    "user",
    "collection",
    "feed",
    "notification",
    "file",
    "token",
)
_ALIASES = {"post": "activity", "star": "reaction", "bookmark": "reaction", "user_follow": "follow"}
_KIND_OF = {kind: kind for kind in KINDS} | _ALIASES

NAMES = tuple(sorted(_KIND_OF))
"""Every name that may be asked for."""


def kind_of(name: object) -> str | None:
    """Our name for a type of objects; None when there is no such type."""
    return _KIND_OF.get(name) if isinstance(name, str) else None


def names_by_kind(names: Iterable[str]) -> dict[str, str]:
    """By kind, the name that its events carry: the first one that was asked for."""
    by_kind: dict[str, str] = {}
    for name in names:
        by_kind.setdefault(_KIND_OF[name], name)
    return by_kind
