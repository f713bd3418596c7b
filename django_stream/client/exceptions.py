"""Everything the client raises.

    StreamException
    ├── StreamApiException          an answer of the API, or of something before it
    │   ├── ApiKeyException … ConflictException    one class per code of the error table
    │   │   └── InputException
    │   │       └── ValidationError                refused here, before sending
    │   └── InvalidResponse                        a whole answer that is not the API's JSON
    ├── EventsMissing               a stream's log does not go back to where its reader was
    └── TransportException          no usable answer arrived
        ├── ConnectionFailed
        ├── RequestTimeout
        └── TruncatedResponse

What fails on the way is also the `requests` error of the same meaning, so that older
`except requests.Timeout` blocks keep working. Those three are in `transport_errors`, and loaded when they are
asked for: a site whose feeds are embedded never imports requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django_stream.client.results import RawResponse, ResponseMeta
from django_stream.protocol.errors import BY_NAME

if TYPE_CHECKING:
    from django_stream.client.transport_errors import ConnectionFailed, RequestTimeout, TruncatedResponse

__all__ = [
    "ApiKeyException",
    "BestPracticeException",
    "ConflictException",
    "ConnectionFailed",
    "CustomFieldException",
    "DoesNotExistException",
    "EventsMissing",
    "FeedConfigException",
    "InputException",
    "InternalException",
    "InvalidPaginationException",
    "InvalidResponse",
    "JinjaRuntimeException",
    "MissingRankingException",
    "MissingUserException",
    "NotAllowedException",
    "OldStorageBackend",
    "PayloadTooLargeException",
    "RankingException",
    "RateLimitReached",
    "RequestTimeout",
    "SignatureException",
    "SiteSuspendedException",
    "StreamApiException",
    "StreamException",
    "TransportException",
    "TruncatedResponse",
    "ValidationError",
    "get_exception_dict",
    "get_exceptions",
]


class StreamException(Exception):
    """The root of all errors of this client; `done` counts the entries that a split batch sent before."""

    done: int = 0


class StreamApiException(StreamException):
    """The API refused a request; `detail`, `code`, `status_code` and `fields` say why."""

    code: int = 1
    status_code: int | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Code and status live in the protocol's table only; a subclass of a row inherits its own.
        if kind := BY_NAME.get(cls.__name__):
            cls.code, cls.status_code = kind.code, kind.status

    def __init__(
        self,
        error_message: str,
        status_code: int | None = None,
        *,
        code: int | None = None,
        fields: Mapping[str, list[str]] | None = None,
        meta: ResponseMeta | None = None,
        response: RawResponse | None = None,
    ) -> None:
        super().__init__(error_message)
        self.detail = error_message
        self.fields: Mapping[str, list[str]] = fields or {}
        self.meta = meta
        self.response = response
        if status_code is not None:
            self.status_code = status_code
        if code is not None:
            self.code = code

    @property
    def request_id(self) -> str | None:
        return self.meta.request_id if self.meta else None

    def __str__(self) -> str:
        named = [f"{name}: {', '.join(map(str, messages))}" for name, messages in self.fields.items()]
        return "\n".join([self.detail, *(line for line in named if not line.endswith(f": {self.detail}"))])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.detail!r}, status_code={self.status_code}, code={self.code})"


class InternalException(StreamApiException):
    """The server failed."""


class ApiKeyException(StreamApiException):
    """The API key is missing or unknown."""


class SignatureException(StreamApiException):
    """The token is missing or cannot be read."""


class InputException(StreamApiException):
    """The request is not valid."""


class CustomFieldException(StreamApiException):
    """A custom field is missing or wrong."""


class FeedConfigException(StreamApiException):
    """The feed group is not configured, or not so."""


class SiteSuspendedException(StreamApiException):
    """The application is suspended."""


class InvalidPaginationException(StreamApiException):
    """The paging parameters contradict each other or cannot be used."""


class RateLimitReached(StreamApiException):
    """Too many requests; `meta.rate_limit` and `meta.retry_after` say until when."""


class MissingRankingException(FeedConfigException):
    """The feed group has no ranking of that name."""


class MissingUserException(MissingRankingException):
    """The ranking needs a user and none was given."""


class RankingException(FeedConfigException):
    """The ranking's formula failed."""


class OldStorageBackend(StreamApiException):
    """The application's storage cannot do this."""


class JinjaRuntimeException(StreamApiException):
    """The feed group's aggregation format is broken."""


class BestPracticeException(StreamApiException):
    """Refused because it would not scale."""


class DoesNotExistException(StreamApiException):
    """There is no such thing."""


class NotAllowedException(StreamApiException):
    """The token does not allow this."""


class PayloadTooLargeException(StreamApiException):
    """The body is larger than the server accepts."""


class ConflictException(StreamApiException):
    """Something with this id exists already."""


class ValidationError(InputException, ValueError, TypeError):
    """Refused before sending; `field` names what is wrong.

    Also a ValueError and a TypeError, the two classes that stream-python raises here.
    """

    code: int = InputException.code
    status_code: int | None = InputException.status_code

    def __init__(self, error_message: str, field: str | None = None) -> None:
        super().__init__(error_message, fields={field: [error_message]} if field else None)
        self.field = field


class InvalidResponse(StreamApiException):
    """A whole answer arrived that is not a JSON object; `response` holds it."""


class TransportException(StreamException):
    """No usable answer arrived; unless `unsent`, the request may have taken effect."""

    out_of_reach: bool = False
    """Nobody answered, so other calls will hardly fare better."""

    def __init__(self, message: str, partial: RawResponse | None = None, *, unsent: bool = False) -> None:
        super().__init__(message)
        # requests keeps `response` for its own class; a partial answer has a place of its own.
        self.partial = partial
        self.unsent = unsent


def __getattr__(name: str) -> Any:
    if name in ("ConnectionFailed", "RequestTimeout", "TruncatedResponse"):
        return getattr(import_module("django_stream.client.transport_errors"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def get_exceptions() -> list[type[StreamApiException]]:
    """The classes that stand for a code of the API."""
    return [StreamApiException, *_BY_CODE.values()]


def get_exception_dict() -> dict[int, type[StreamApiException]]:
    """Class by code."""
    return {kind.code: kind for kind in get_exceptions()}


def _rows(base: type[StreamApiException]) -> dict[int, type[StreamApiException]]:
    found: dict[int, type[StreamApiException]] = {}
    for child in base.__subclasses__():
        if child.__name__ in BY_NAME and child.__module__ == __name__:
            found[child.code] = child
        found.update(_rows(child))
    return found


_BY_CODE: Mapping[int, type[StreamApiException]] = MappingProxyType(_rows(StreamApiException))


def _only_of_their_status() -> dict[int, type[StreamApiException]]:
    kinds: dict[int, list[type[StreamApiException]]] = {}
    for kind in _BY_CODE.values():
        kinds.setdefault(kind.status_code or 0, []).append(kind)
    return {status: found[0] for status, found in kinds.items() if len(found) == 1}


_BY_STATUS: Mapping[int, type[StreamApiException]] = MappingProxyType(_only_of_their_status())


def _class_of(code: object, status: int) -> type[StreamApiException]:
    """By code; an answer without one is told by its status, where that has one meaning."""
    if isinstance(code, int):
        return _BY_CODE.get(code, StreamApiException)
    return _BY_STATUS.get(status, StreamApiException)


class EventsMissing(StreamException):
    """A stream cannot go on where it was: the events between `after` and `until` are deleted."""

    def __init__(self, after: str, until: str) -> None:
        super().__init__(f"the events after {after or 'the last one'} are not all there any more")
        self.after = after
        self.until = until


def error_from(body: Mapping[str, Any], status: int, meta: ResponseMeta | None = None) -> StreamApiException:
    """The exception that an error envelope stands for."""
    code = body.get("code")
    kind = _class_of(code, status)
    told = body.get("meta")
    message = told.get("error_message") if isinstance(told, Mapping) else None
    detail = str(body.get("detail") or message or f"the API answered with status {status}")
    return kind(
        detail,
        status,
        code=code if isinstance(code, int) else None,
        fields=_fields(body.get("exception_fields")),
        meta=meta,
    )


def _fields(value: Any) -> dict[str, list[str]]:
    # The hosted service has sent an object, and a list of such objects.
    merged: dict[str, list[str]] = {}
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, Mapping):
            for name, messages in part.items():
                merged.setdefault(str(name), []).extend(
                    messages if isinstance(messages, list) else [messages]
                )
    return merged
