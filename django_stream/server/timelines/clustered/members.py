"""Entries of timelines as Redis holds them: bytes whose order is that of the feed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import NamedTuple

from django_stream.server.timelines.base import Window

_MARK = b"\x01"
_WAY_BYTES = 8
_END = b"\xff" * _WAY_BYTES
_KEY_END = 1 + 16
_MEMBER = _KEY_END + _WAY_BYTES


class Entry(NamedTuple):
    """An activity on a feed, and what brings it: 0 is the feed itself, other numbers are followed feeds.

    Of several followed feeds that bring it, it is the one with the lowest number.
    """

    key: uuid.UUID
    via: int

    @property
    def packed(self) -> bytes:
        return activity(self.key) + self.via.to_bytes(_WAY_BYTES, "big")

    @classmethod
    def unpacked(cls, member: bytes) -> Entry:
        digits, via = key_and_way(member)
        return cls(uuid.UUID(digits), via)


def members_of(text: bytes) -> Iterator[bytes]:
    """The members that are one behind the other in an answer."""
    return (text[start : start + _MEMBER] for start in range(0, len(text), _MEMBER))


def key_and_way(member: bytes) -> tuple[str, int]:
    """An entry for the database, which takes 32 digits as well; keys as objects take longer."""
    return member[1:_KEY_END].hex(), int.from_bytes(member[_KEY_END:], "big")


def activity(key: uuid.UUID) -> bytes:
    """How the entry of an activity begins, whatever brought it."""
    return _MARK + key.bytes


def bounds(window: Window) -> tuple[bytes, bytes, bytes]:
    """The newest and the oldest that a window shows, and the newest below it, as Redis wants them.

    The last one is empty where the window has no lower bound.
    """
    upper = [(activity(key) + end, sign) for key, end, sign in _upper(window)]
    newest, sign = min(upper, default=(b"\x02", b"("))
    lower = [(activity(key) + end, sign, below) for key, end, sign, below in _lower(window)]
    oldest, oldest_sign, below = max(lower, default=(_MARK, b"[", b""))
    return sign + newest, oldest_sign + oldest, below


def _upper(window: Window) -> list[tuple[uuid.UUID, bytes, bytes]]:
    found = [] if window.below is None else [(window.below, b"", b"(")]
    return found if window.up_to is None else [*found, (window.up_to, _END, b"[")]


def _lower(window: Window) -> list[tuple[uuid.UUID, bytes, bytes, bytes]]:
    found = []
    if window.above is not None:
        found.append((window.above, _END, b"(", b"[" + activity(window.above) + _END))
    if window.from_on is not None:
        found.append((window.from_on, b"", b"[", b"(" + activity(window.from_on)))
    return found
