"""Sessions of ranked reads: the moment at which the first page was read, and the newest activity then."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django_stream.protocol.activity_ids import activity_id, sort_key
from django_stream.protocol.errors import invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"(?P<moment>[0-9a-z]{1,12})(?:-(?P<newest>[0-9a-f]{32}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """The clock of a ranked read and the bound of its pages, written `<moment>[-<sort key>]`.

    The moment is microseconds since 1970 in base 36. The sort key is there only when the newest
    activity is dated ahead of the clock.
    """

    now: datetime
    newest: uuid.UUID | None = None
    """Sort key of the newest activity that the session shows; None while it begins."""

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
        return cls(moment, uuid.UUID(match["newest"]) if match["newest"] else _bound(moment))

    @property
    def bound(self) -> uuid.UUID:
        """The sort key that an activity of this very moment would have."""
        return _bound(self.now)

    def __str__(self) -> str:
        moment = _base36((self.now - _EPOCH) // _MICROSECOND)
        return moment if self.newest in (None, self.bound) else f"{moment}-{self.newest.hex}"


def _bound(moment: datetime) -> uuid.UUID:
    return sort_key(activity_id(moment, ""))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
