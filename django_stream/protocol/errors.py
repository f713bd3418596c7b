"""The error table of the API: read by the server to answer and by the client to raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django_stream.protocol.wire import ErrorEnvelope

MORE_INFO = "https://getstream.io/docs/api_error_responses"
DETAIL_LENGTH = 1_000
"""So many characters of a text are told in a refusal."""


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table: wire code, exception name, HTTP status, and the class it refines."""

    code: int
    name: str
    status: int
    parent: str = "StreamApiException"


_TABLE = (
    ErrorKind(-1, "InternalException", 500),
    ErrorKind(2, "ApiKeyException", 401),
    ErrorKind(3, "SignatureException", 401),
    ErrorKind(4, "InputException", 400),
    ErrorKind(5, "CustomFieldException", 400),
    ErrorKind(6, "FeedConfigException", 400),
    ErrorKind(7, "SiteSuspendedException", 401),
    ErrorKind(8, "InvalidPaginationException", 400),
    ErrorKind(9, "RateLimitReached", 429),
    ErrorKind(10, "MissingUserException", 400, "MissingRankingException"),
    ErrorKind(11, "RankingException", 400, "FeedConfigException"),
    ErrorKind(12, "MissingRankingException", 400, "FeedConfigException"),
    ErrorKind(13, "OldStorageBackend", 400),
    ErrorKind(14, "JinjaRuntimeException", 400),
    ErrorKind(15, "BestPracticeException", 400),
    ErrorKind(16, "DoesNotExistException", 404),
    ErrorKind(17, "NotAllowedException", 403),
    ErrorKind(18, "PayloadTooLargeException", 413),
    ErrorKind(22, "ConflictException", 409),
)

BY_CODE: Mapping[int, ErrorKind] = MappingProxyType({kind.code: kind for kind in _TABLE})
BY_NAME: Mapping[str, ErrorKind] = MappingProxyType({kind.name: kind for kind in _TABLE})


@dataclass(slots=True)
class ApiError(Exception):
    """A refusal by the API, raised inside the server and rendered as the error envelope.

    `status` overrides the table where the protocol does (405 shares code 17 with 403);
    `fields` maps a field's name to its messages.
    """

    kind: ErrorKind
    detail: str
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    slug: str = ""
    """A word for programs, in answers that have one: those about streams and filters."""

    @classmethod
    def named(cls, name: str, detail: str, **more: Any) -> ApiError:
        return cls(BY_NAME[name], detail, **more)

    @property
    def http_status(self) -> int:
        return self.kind.status if self.status is None else self.status

    def envelope(self) -> ErrorEnvelope:
        """The JSON body, without `duration`; `exception_fields` is absent when empty."""
        body: ErrorEnvelope = {
            "detail": _short(self.detail),
            "status_code": self.http_status,
            "code": self.kind.code,
            "exception": self.kind.name,
            "more_info": MORE_INFO,
        }
        if self.fields:
            told = {_short(name): [_short(one) for one in some] for name, some in self.fields.items()}
            body["exception_fields"] = told
        return body

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.detail}"


def _short(text: str) -> str:
    """Refusals repeat what was sent, which may be megabytes, or no Unicode."""
    told = text if len(text) <= DETAIL_LENGTH else f"{text[:DETAIL_LENGTH]}…"
    return told.encode(errors="backslashreplace").decode()


def invalid(detail: str, field_name: str | None = None) -> ApiError:
    """The universal validation error (400, code 4), naming the field when there is one."""
    return ApiError.named("InputException", detail, fields={field_name: [detail]} if field_name else {})
