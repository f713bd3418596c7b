"""What a hub asks the database, in one go and in a thread."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from django_stream.protocol.errors import ApiError
from django_stream.server.streams import log, subscriptions
from django_stream.server.streams.admission import Admission, check_token
from django_stream.server.streams.log import Logged, State
from django_stream.server.streams.subscriptions import Subscription

_KEPT_BYTES = 128 * 1024


class Credential(NamedTuple):
    """By what a reader was let in; readers with the same one are checked together."""

    application_id: int
    token: str

    @classmethod
    def of(cls, admission: Admission) -> Credential:
        return cls(admission.subscription.application_id, admission.token)


@dataclass(frozen=True, slots=True)
class Round:
    """What is new."""

    state: State
    events: list[Logged]
    asked: frozenset[int]
    subscriptions: dict[int, Subscription] | None = None
    """Those of the streams that exist; None where nothing has changed."""
    refusals: dict[Credential, ApiError] = field(default_factory=dict)
    places_left: bool = False
    """Whether more events may wait for their places."""


def read(
    position: int | None,
    version: int | None,
    numbers: Collection[int],
    credentials: Collection[Credential],
    *,
    woken: bool,
) -> Round:
    """The events after a place, and what has changed since a version; None looks at all streams again.

    `woken` says that something new is expected, which spares the question whether there is.
    """
    left = (woken or log.is_waiting()) and log.place_some() == log.BATCH
    state = log.state()
    events = log.after(position) if position is not None and position < state.newest else []
    asked = frozenset(numbers)
    if version == state.version:
        return Round(state, events, asked, places_left=left)
    loaded = subscriptions.load(asked)
    return Round(state, events, asked, loaded, _refused(credentials), places_left=left)


def catch_up(position: int) -> tuple[State, list[Logged]]:
    """A part of the log for one reader, small since it may be kept for long: it may take nothing.

    How far the log is pruned is asked last: nothing may go in between.
    """
    events = log.after(position, most=_KEPT_BYTES)
    return log.state(), events


def _refused(credentials: Collection[Credential]) -> dict[Credential, ApiError]:
    refused = {}
    for credential in credentials:
        try:
            check_token(*credential)
        except ApiError as error:
            refused[credential] = error
    return refused
