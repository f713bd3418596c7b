"""Reading two homes of the feeds at once: one answers, the other is compared with it."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django_stream.client.exceptions import StreamException
from django_stream.protocol import scopes
from django_stream.protocol.messages import ApiRequest, ApiResponse, Transport

if TYPE_CHECKING:
    from django_stream.client.client import StreamClient

logger = logging.getLogger("django_stream.shadow")

_READS = ("feed/", "enrich/feed/")
_MARKS = ("mark_seen", "mark_read", "mark_unread")
_COUNTS = ("unseen", "unread")


@dataclass(frozen=True, slots=True)
class ShadowTransport:
    """Carries everything to one home, and asks another the same for a share of the pages that are read.

    What differs is logged as a warning of `django_stream.shadow`, with `feed` and `differences`. Whatever
    happens to the second call, the first one's answer is returned.
    """

    transport: Transport
    other: StreamClient
    share: float = 1.0
    chance: Callable[[], float] = random.random

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        response = self.transport.send(request, timeout=timeout)
        if response.status == 200 and _is_page(request) and self.chance() < self.share:
            self._compare(request, response)
        return response

    def _compare(self, request: ApiRequest, response: ApiResponse) -> None:
        api = self.other.api
        asked = replace(request, api_key=api.api_key, token=api.tokens.scope(scopes.ANY, scopes.ANY))
        feed = ":".join(request.path.removeprefix("enrich/").split("/")[1:3])
        try:
            answer = api.transport.send(asked, timeout=api.timeout)
        except StreamException as error:
            logger.warning("the other home did not tell of %s: %s", feed, error, extra={"feed": feed})
            return
        found = (
            [f"answered {answer.status}"] if answer.status != 200 else differences(response.body, answer.body)
        )
        if found:
            told = "; ".join(found)
            logger.warning("%s differs: %s", feed, told, extra={"feed": feed, "differences": found})

    def close(self) -> None:
        self.transport.close()
        self.other.close()

    def __getattr__(self, name: str) -> Any:
        # What a home in the same process can tell beside the API.
        return getattr(self.transport, name)


def differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """In what two answers about a feed differ: their activities, the order, the counts and marks."""
    ours, theirs = (list(map(_identity, answer["results"])) for answer in (here, there))
    found = [f"{len(missing)} are missing there, {missing[0]}"] if (missing := _without(ours, theirs)) else []
    if further := _without(theirs, ours):
        found.append(f"{len(further)} more are there, {further[0]}")
    if not found and ours != theirs:
        found.append("the order is another")
    for name in _COUNTS:
        if name in here and here[name] != there.get(name):
            found.append(f"{name} is {here[name]} here and {there.get(name)} there")
    return found


def _is_page(request: ApiRequest) -> bool:
    return (
        request.method == "GET"
        and request.path.startswith(_READS)
        and request.path.count("/") == (4 if request.path.startswith("enrich/") else 3)
        and not any(name in request.query for name in _MARKS)
    )


def _identity(entry: Mapping[str, Any]) -> str:
    """What is the same in every home: foreign id and time, of a group those of its newest activity."""
    newest = entry["activities"][0] if entry.get("activities") else entry
    marks = "".join(f" {name}" for name in ("is_seen", "is_read") if entry.get(name))
    return f"{newest.get('foreign_id') or newest['id']} {newest['time']}{marks}"


def _without(some: list[str], others: list[str]) -> list[str]:
    known = set(others)
    return [one for one in some if one not in known]
