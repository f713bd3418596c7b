"""Sessions of ranked reads: their beginning, the newest activity then, and the last one shown."""

from __future__ import annotations

import re
import struct
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django_stream.protocol.activity_ids import activity_id, sort_key
from django_stream.protocol.errors import invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(
    r"(?P<moment>[0-9a-z]{1,12})(?:-(?P<newest>[0-9a-f]{32}))?"
    r"(?:\.(?P<offset>[0-9a-z]{1,4})-(?P<score>[0-9a-f]{16}|none)-(?P<key>[0-9a-f]{32}))?"
    r"(?:_(?P<reaction>[0-9a-z]{1,12})-(?P<change>[0-9a-z]{1,12}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Place:
    """The last entry of a page: the next one begins behind it, whatever was removed before it."""

    offset: int
    """Where the next page begins; a reader who asks for another offset means that one."""
    score: float | None
    key: uuid.UUID

    @property
    def order(self) -> tuple[bool, float, uuid.UUID]:
        """Higher is earlier: entries without a score come last, and of equal ones the newest first."""
        return order_of(self.score, self.key)

    def __str__(self) -> str:
        score = "none" if self.score is None else struct.pack(">d", self.score).hex()
        return f"{_base36(self.offset)}-{score}-{self.key.hex}"


def order_of(score: float | None, key: uuid.UUID) -> tuple[bool, float, uuid.UUID]:
    """By this ranked feeds are sorted, highest first."""
    return score is not None, score or 0.0, key


@dataclass(frozen=True, slots=True)
class Session:
    """The clock of a ranked read and the bounds of its pages.

    Written `<moment>[-<sort key>][.<place>][_<reaction>-<change>]`. The moment is microseconds since 1970 in
    base 36. The sort key is there only when the newest activity is dated ahead of the clock.
    """

    now: datetime
    newest: uuid.UUID | None = None
    """Sort key of the newest activity that the session shows; None while it begins."""
    place: Place | None = None
    counted: tuple[int, int] | None = None
    """Numbers of the newest reaction that counts, and of the newest change of counts that was made."""

    @classmethod
    def parse(cls, text: str) -> Session:
        """Read what an answer's `next` holds; an empty text begins a session. 400 for anything else."""
        now = datetime.now(UTC)
        if not text:
            return cls(now)
        match = _FORM.fullmatch(text)
        number = int(match["moment"], 36) if match else -1
        if match is None or not 0 <= number <= (now - _EPOCH) // _MICROSECOND:
            raise invalid("session must be the one that this server gave out in `next`", "session")
        moment = _EPOCH + number * _MICROSECOND
        newest = uuid.UUID(match["newest"]) if match["newest"] else _bound(moment)
        counted = (int(match["reaction"], 36), int(match["change"], 36)) if match["reaction"] else None
        return cls(moment, newest, _place(match) if match["key"] else None, counted)

    @property
    def bound(self) -> uuid.UUID:
        """The sort key that an activity of this very moment would have."""
        return _bound(self.now)

    def __str__(self) -> str:
        moment = _base36((self.now - _EPOCH) // _MICROSECOND)
        ahead = "" if self.newest in (None, self.bound) else f"-{self.newest.hex}"
        place = "" if self.place is None else f".{self.place}"
        counted = "" if self.counted is None else "_" + "-".join(map(_base36, self.counted))
        return f"{moment}{ahead}{place}{counted}"


def _place(match: re.Match[str]) -> Place:
    score = None if match["score"] == "none" else struct.unpack(">d", bytes.fromhex(match["score"]))[0]
    return Place(int(match["offset"], 36), score, uuid.UUID(match["key"]))


def _bound(moment: datetime) -> uuid.UUID:
    return sort_key(activity_id(moment, ""))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
