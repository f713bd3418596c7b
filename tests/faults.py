"""A carriage that can break: the real embedded server behind a road with holes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from django_stream.client import StreamClient
from django_stream.conf import stream_settings
from django_stream.protocol.messages import ApiRequest, ApiResponse
from django_stream.server.transport import EmbeddedTransport


class Clock:
    """A clock that tests drive."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


Step = Callable[[ApiRequest, Callable[[], ApiResponse]], ApiResponse]


class BreakingTransport:
    """Each request goes through the next step; when the steps are used up, the road is whole."""

    def __init__(self, *steps: Step) -> None:
        self.steps: Iterator[Step] = iter(steps)
        self.requests: list[str] = []
        self._road = EmbeddedTransport()

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        self.requests.append(f"{request.method} {request.path}")
        step = next(self.steps, _carry)
        return step(request, lambda: self._road.send(request, timeout=timeout))

    def close(self) -> None:
        self._road.close()


def client_over(transport: BreakingTransport) -> StreamClient:
    return StreamClient(
        stream_settings.API_KEY, stream_settings.secret, stream_settings.APP_ID, transport=transport
    )


def _carry(request: ApiRequest, go_on: Callable[[], ApiResponse]) -> ApiResponse:
    return go_on()


def before(failure: BaseException) -> Step:
    """The request never arrives."""

    def step(request: ApiRequest, go_on: Callable[[], ApiResponse]) -> ApiResponse:
        raise failure

    return step


def after(failure: BaseException) -> Step:
    """The request takes effect, and its answer is lost."""

    def step(request: ApiRequest, go_on: Callable[[], ApiResponse]) -> ApiResponse:
        go_on()
        raise failure

    return step


def meanwhile(act: Callable[[], object]) -> Step:
    """Something else happens while the request is on its way."""

    def step(request: ApiRequest, go_on: Callable[[], ApiResponse]) -> ApiResponse:
        act()
        return go_on()

    return step


def answering(response: ApiResponse) -> Step:
    """Somebody in between answers instead of the server."""

    def step(request: ApiRequest, go_on: Callable[[], ApiResponse]) -> ApiResponse:
        return response

    return step
