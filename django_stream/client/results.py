"""What surrounds an answer: status, request id, rate limit, and the raw answer of a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many calls of this endpoint are left until `reset`."""

    limit: int
    remaining: int
    reset: datetime


@dataclass(frozen=True, slots=True)
class ResponseMeta:
    """Status and headers of an answer; header names are found without regard to case."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)

    @property
    def request_id(self) -> str | None:
        return self.header("X-Request-Id")

    @property
    def retry_after(self) -> str | None:
        return self.header("Retry-After")

    @property
    def rate_limit(self) -> RateLimit | None:
        """None when the answer does not say."""
        names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
        try:
            limit, remaining, reset = (int(self.header(name) or "") for name in names)
            return RateLimit(limit, remaining, datetime.fromtimestamp(reset, UTC))
        except (ValueError, OverflowError, OSError):
            return None


class Result(dict[str, Any]):
    """The JSON object of an answer, a plain dict that also knows its `meta`.

    When a call was split into several requests, `meta` is that of the last one.
    """

    __slots__ = ("meta",)

    def __init__(self, body: Mapping[str, Any], meta: ResponseMeta) -> None:
        super().__init__(body)
        self.meta = meta

    def __reduce__(self) -> tuple[Any, ...]:
        return (Result, (dict(self), self.meta))


def meta(result: Mapping[str, Any]) -> ResponseMeta:
    """The status, request id and rate limit of the answer that a call returned.

    page = feed.get()
    meta(page).rate_limit.remaining
    """
    if not isinstance(result, Result):
        raise TypeError(f"meta() wants what a call of the client returned, not {type(result).__name__}")
    return result.meta


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An answer as it arrived, for errors; never holds the request or its token."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")
