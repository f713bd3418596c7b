"""The forms in which a connection over HTTP is written: lines of JSON, or Server-Sent Events."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from django_stream.server.streams import frames, hub
from django_stream.server.streams.admission import Admission, Wish
from django_stream.server.streams.frames import Frame

Values = Mapping[str, str]
"""Parameters of a query, or headers by their names in small letters."""

# Browsers come back after so many milliseconds, and not all at once after a restart.
_RETRY = (1000, 4000)
_YES = ("1", "true")


@dataclass(frozen=True, slots=True)
class Transport:
    """How frames become bytes."""

    content_type: str
    heartbeat: bytes
    encode: Callable[[Frame], bytes]

    def opening(self) -> bytes:
        """What is written at once, so that the consumer sees that it is connected."""
        if self is SERVER_SENT:
            return f"retry: {random.randint(*_RETRY)}\n\n".encode()  # noqa: S311  # no secret
        return self.heartbeat

    def body(self, batch: Sequence[Frame]) -> bytes:
        return b"".join([self.encode(frame) for frame in batch]) if batch else self.heartbeat


LINES = Transport("application/x-ndjson; charset=utf-8", frames.NEWLINE, lambda frame: frame.line)
SERVER_SENT = Transport(
    "text/event-stream; charset=utf-8", frames.SSE_HEARTBEAT, lambda frame: frame.server_sent
)


def transport_for(headers: Values, query: Values) -> Transport:
    """What the consumer asked for: by its Accept header, or by `format=sse`."""
    asks = "text/event-stream" in headers.get("accept", "") or query.get("format") == "sse"
    return SERVER_SENT if asks else LINES


def wish_of(stream: str, secret: str, headers: Values, query: Values) -> Wish:
    """What a connection asks for. The header of browsers that come back wins over the query."""
    kind, _, token = headers.get("authorization", "").strip().partition(" ")
    return Wish(
        stream,
        secret,
        token=(token.strip() if kind.lower() == "bearer" else kind) or query.get("access_token", ""),
        key=query.get("key", ""),
        last_event_id=headers.get("last-event-id", "") or query.get("last_event_id", ""),
        purge=query.get("purge") in _YES,
        auto_delete=query.get("auto_delete") in _YES,
    )


def headers_of(transport: Transport, admitted: Admission) -> dict[str, str]:
    """Proxies must neither keep nor collect; the consumer learns after which event it begins."""
    return {
        "Content-Type": transport.content_type,
        "Cache-Control": "no-cache, no-transform",
        "X-Accel-Buffering": "no",
        "Stream-Begins-After": str(admitted.position),
    }


async def body_of(
    transport: Transport, admitted: Admission, at_end: Callable[[], object] | None = None
) -> AsyncGenerator[bytes]:
    """The body of the response, which ends when the connection is to end; `at_end` is done after that."""
    try:
        yield transport.opening()
        async with aclosing(hub.batches(admitted)) as batches:
            async for batch in batches:
                body = transport.body(batch)
                for start in range(0, len(body), frames.PART_BYTES):
                    yield body[start : start + frames.PART_BYTES]
    finally:
        hub.later(at_end)
