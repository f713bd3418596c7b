"""Events of a stream one after the other, over connections that come and go."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django_stream.client.exceptions import EventsMissing, error_from
from django_stream.client.results import ResponseMeta

if TYPE_CHECKING:
    import requests

logger = logging.getLogger("django_stream.client")

# Servers give a sign of life every 15 seconds.
_TIMEOUTS = (10.0, 60.0)
_BACK_OFF = (0.1, 30.0)
_FOR_EVER_REFUSED = range(400, 500)
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event; `event_id` grows, and the same event always has the same."""

    event_id: str
    type: str
    object_id: str
    op: str
    """`create`, `update` or `delete`."""
    timestamp: int
    """Milliseconds since 1970."""
    data: Any = field(repr=False)
    is_deleted: bool = False

    @classmethod
    def of(cls, envelope: Mapping[str, Any]) -> StreamEvent:
        meta = envelope["meta"]
        return cls(
            meta["event_id"],
            meta["type"],
            meta["id"],
            meta["op"],
            meta["timestamp"],
            envelope["data"],
            meta.get("is_deleted", False),
        )


class _Interrupted(Exception):
    """The connection is over, and another one may be better."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a stream is, and how to get a token for it."""

    endpoint: str
    token: Callable[[], str] = field(repr=False)
    sleep: Callable[[float], None] = time.sleep

    def messages(self, cursor: str | None) -> Iterator[dict[str, Any]]:
        """Events and control messages of one connection, until it breaks."""
        import requests

        headers = {"Authorization": f"Bearer {self.token()}", "Accept": "application/x-ndjson"}
        query = {} if cursor is None else {"last_event_id": cursor}
        try:
            with requests.get(
                self.endpoint, params=query, headers=headers, stream=True, timeout=_TIMEOUTS
            ) as answer:
                _check(answer, cursor)
                for line in answer.iter_lines(chunk_size=None):
                    if line:
                        yield json.loads(line)
        except (requests.RequestException, ValueError) as error:
            raise _Interrupted(str(error)) from error
        raise _Interrupted("the server ended the connection")


def _check(answer: requests.Response, cursor: str | None) -> None:
    if answer.ok:
        return
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if body.get("meta", {}).get("error_slug") == "event-id-too-old":
        raise EventsMissing(cursor or "", "")
    if answer.status_code in _FOR_EVER_REFUSED and answer.status_code != _TOO_MANY:
        raise error_from(body, answer.status_code, ResponseMeta(answer.status_code, answer.headers))
    raise _Interrupted(f"the server answered with status {answer.status_code}")


def connected(connection: Connection, cursor: str | None) -> Iterator[StreamEvent]:
    """Events over long-lived connections; each new one begins where the former one ended."""
    failures = 0
    while True:
        try:
            for message in connection.messages(cursor):
                failures = 0
                if "control" in message:
                    if not _goes_on(message["control"]):
                        return
                    continue
                event = StreamEvent.of(message)
                yield event
                cursor = event.event_id
        except _Interrupted as error:
            pause = min(_BACK_OFF[1], _BACK_OFF[0] * 2**failures) * (0.5 + random.random() / 2)  # noqa: S311
            failures = min(failures + 1, 20)
            logger.info("%s; trying again in %.1f seconds", error, pause)
            connection.sleep(pause)


def _goes_on(control: Mapping[str, Any]) -> bool:
    if control["code"] == "gap":
        raise EventsMissing(control["after"], control["until"])
    if control["code"] == "stream-deleted":
        logger.warning("the stream was deleted")
        return False
    return True


def polled(
    page: Callable[[str | None], Mapping[str, Any]],
    cursor: str | None,
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[StreamEvent]:
    """Events page by page, for feeds inside the process: there is nothing to connect to."""
    while True:
        answer = page(cursor)
        meta = answer["meta"]
        if "gap" in meta:
            raise EventsMissing(meta["gap"]["after"], meta["gap"]["until"])
        for envelope in answer["data"]:
            yield StreamEvent.of(envelope)
        cursor = meta["last_event_id"]
        if not answer["data"] and not meta["more"]:
            sleep(seconds)
