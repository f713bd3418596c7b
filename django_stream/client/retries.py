"""When to send again and how long to wait before; values and arithmetic, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_REPEATABLE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_BUSY = frozenset({502, 503, 504})
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a call is tried.

    `deadline` bounds all attempts and waits together, in seconds; None means three timeouts.
    """

    retries: int = 2
    backoff: float = 0.1
    backoff_cap: float = 2.0
    deadline: float | None = None

    def deadline_for(self, timeout: float) -> float:
        return 3 * timeout if self.deadline is None else self.deadline

    def after_answer(self, status: int, repeatable: bool) -> bool:
        """A 429 refused the request before it did anything; a busy server may have done it."""
        return status == _TOO_MANY or (repeatable and status in _BUSY)

    def pause(self, attempt: int, chance: float) -> float:
        """Exponential, with the full range as jitter so that callers do not come back together."""
        ceiling: float = min(self.backoff_cap, self.backoff * 2**attempt)
        return ceiling * (0.5 + chance / 2)


NO_RETRIES = RetryPolicy(retries=0)


def is_repeatable(method: str, marked: bool) -> bool:
    return marked or method in _REPEATABLE_METHODS


def asked_pause(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """What the server asks us to wait: Retry-After, or the rate limit's reset; None if nothing."""
    if (text := headers.get("Retry-After")) is not None:
        return _retry_after(text.strip(), now)
    if status == _TOO_MANY and (text := headers.get("X-RateLimit-Reset")) is not None:
        return max(0.0, int(text) - now) if text.isdecimal() else None
    return None


def _retry_after(text: str, now: float) -> float | None:
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None
