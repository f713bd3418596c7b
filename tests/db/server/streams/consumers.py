"""Consumers of streams: one for each transport, all with the same face."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import requests

with suppress(ImportError):  # without the extra, the tests that need it are skipped
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import (
        AcceptConnection,
        CloseConnection,
        RejectConnection,
        RejectData,
        Request,
        TextMessage,
    )

SECONDS = 30.0


class Refused(Exception):
    """Not let in: the status and the slug."""


class Lines:
    """NDJSON, read with requests."""

    headers: dict[str, str] = {}

    def __init__(self, endpoint: str, headers: dict[str, str] | None = None, **query: str) -> None:
        self._response = requests.get(
            endpoint, params=query, headers={**self.headers, **(headers or {})}, stream=True, timeout=SECONDS
        )
        if not self._response.ok:
            raise Refused(self._response.status_code, self._response.json()["meta"]["error_slug"])
        self.headers_received = self._response.headers
        self.begins_after = self.headers_received["Stream-Begins-After"]
        self._lines = self._response.iter_lines(chunk_size=None)
        self.heartbeats = 0
        self._messages = self._read()
        next(self._lines)  # written at once: the consumer is connected

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _read(self) -> Iterator[dict[str, Any]]:
        for line in self._lines:
            if line:
                yield json.loads(line)
            else:
                self.heartbeats += 1

    def message(self) -> dict[str, Any]:
        """The next event or control message; StopIteration at the end."""
        return next(self._messages)

    def event(self) -> dict[str, Any]:
        """The next event, whatever comes before it."""
        while "meta" not in (message := self.message()):
            pass
        return message

    def objects(self, count: int) -> list[str]:
        return [self.event()["data"]["object"] for _ in range(count)]

    def control(self) -> dict[str, Any]:
        """The next control message, whatever comes before it."""
        while "control" not in (message := self.message()):
            pass
        return dict(message["control"])

    def close(self) -> None:
        self._response.close()


class ServerSent(Lines):
    """Server-Sent Events, of which each has its id and its name."""

    headers = {"Accept": "text/event-stream"}

    def _read(self) -> Iterator[dict[str, Any]]:
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, text = line.decode().partition(": ")
            if line == b":":
                self.heartbeats += 1
            elif line:
                fields[name] = text
            elif "data" in fields:
                message = json.loads(fields["data"])
                meta = message.get("meta", {})
                assert fields["event"] == meta.get("type", "control")
                assert fields.get("id") == meta.get("event_id")
                yield message
                fields = {}


class WebSocket(Lines):
    """A WebSocket, by the codec alone."""

    def __init__(self, endpoint: str, headers: dict[str, str] | None = None, **query: str) -> None:
        address = urlsplit(endpoint)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=SECONDS)
        self._codec = WSConnection(ConnectionType.CLIENT)
        target = address.path + "?" + "&".join(f"{name}={text}" for name, text in query.items())
        more = [(name.encode(), text.encode()) for name, text in (headers or {}).items()]
        self._socket.sendall(self._codec.send(Request(address.netloc, target, extra_headers=more)))
        self.heartbeats = 0
        self.close_code: int | None = None
        self.pongs = 0
        self._messages = self._read()
        try:
            self.greeting = self.message()["meta"]
        except Refused:
            self.close()
            raise
        self.begins_after = self.greeting["begins_after"]

    def _read(self) -> Iterator[dict[str, Any]]:
        status, text = 0, ""
        while data := self._socket.recv(65536):
            self._codec.receive_data(data)
            for event in self._codec.events():
                if isinstance(event, RejectConnection):
                    status = event.status_code
                elif isinstance(event, RejectData):
                    raise Refused(status, json.loads(event.data)["meta"]["error_slug"])
                elif isinstance(event, CloseConnection):
                    self.close_code = event.code
                    return
                elif isinstance(event, TextMessage):
                    text += event.data
                    if event.message_finished:
                        yield from self._whole(text)
                        text = ""
                else:
                    assert isinstance(event, AcceptConnection), event

    def _whole(self, text: str) -> Iterator[dict[str, Any]]:
        if text == "pong":
            self.pongs += 1
        elif "heartbeat" in text[:40]:
            self.heartbeats += 1
        else:
            yield json.loads(text)

    def say(self, text: str) -> None:
        self._socket.sendall(self._codec.send(TextMessage(text)))

    def close(self) -> None:
        self._socket.close()


ALL = [Lines, ServerSent, WebSocket]
