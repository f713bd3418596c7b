"""One call of the API as values: what every transport carries, over HTTP or inside the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

Query = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way up, read in chunks and never whole into memory."""

    name: str
    stream: BinaryIO
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """`path` is relative to the version, such as `feed/user/1/`, and not percent-encoded.

    `body` holds plain JSON values. `repeatable` marks a write that may be sent twice without
    a second effect; `service` is another one of the hosted services than the API itself.
    """

    method: str
    path: str
    api_key: str
    token: str = field(repr=False)
    query: Query = field(default_factory=dict)
    body: Any = None
    upload: Upload | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False
    service: str = "api"


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """`body` is the decoded JSON object; header names are matched without regard to case."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """Carries one request to a home of the feeds and brings its answer back.

    Every answer of the API, refusals included, is returned; only a failed carriage raises.
    """

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse: ...

    def close(self) -> None: ...
