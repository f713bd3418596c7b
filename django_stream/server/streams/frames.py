"""What goes out to readers: events and control messages, encoded once for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django_stream.server.content import encoded, read_stored
from django_stream.server.streams.log import Logged

NEWLINE = b"\r\n"
SSE_HEARTBEAT = b":\n\n"
PART_BYTES = 64 * 1024
"""So much is written to a connection at once, and waits there for whoever takes nothing."""


class Frame:
    """One message for readers, in the form of each transport."""

    # No __slots__: the forms are made when first asked for, and kept for the other readers.
    def __init__(self, text: bytes, *, name: str = "control", position: int = 0) -> None:
        self.text = text
        self.name = name
        self.position = position
        """The place in the log; 0 for what is no event."""

    @cached_property
    def line(self) -> bytes:
        """For NDJSON."""
        return self.text + NEWLINE

    @cached_property
    def message(self) -> str:
        """For WebSocket."""
        return self.text.decode()

    @cached_property
    def server_sent(self) -> bytes:
        """For Server-Sent Events. JSON text has no line breaks."""
        number = f"id: {self.position}\n" if self.position else ""
        return f"{number}event: {self.name}\ndata: ".encode() + self.text + b"\n\n"


def in_parts(listed: Sequence[Frame]) -> Iterator[Sequence[Frame]]:
    """Frames in parts that are small, or a large frame alone."""
    part: list[Frame] = []
    size = 0
    for frame in listed:
        if part and size + len(frame.text) > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(frame)
        size += len(frame.text)
    if part:
        yield part


def event(logged: Logged, name: str) -> Frame:
    """An event under the name that was asked for. Its data are encoded already."""
    text = b'{"meta":' + encoded(_meta(logged, name)) + b',"data":' + logged.data.encode() + b"}"
    return Frame(text, name=name, position=logged.position)


def envelope(logged: Logged) -> dict[str, Any]:
    """An event as filters see it: under our name."""
    return {"meta": _meta(logged, logged.kind), "data": read_stored(logged.data)}


def _meta(logged: Logged, name: str) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "type": name,
        "id": logged.object_id,
        "timestamp": logged.timestamp,
        "event_id": str(logged.position),
        "op": logged.op,
    }
    if logged.is_deleted:
        meta["is_deleted"] = True
    return meta


def control(code: str, **more: Any) -> Frame:
    """A message about the connection and not about an event: it has `control` in the place of `meta`."""
    return Frame(encoded({"control": {"code": code, **more}}))
