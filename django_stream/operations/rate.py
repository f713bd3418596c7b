"""A budget of requests: ours by the second, and the API's by what its answers say is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django_stream.client import ResponseMeta
from django_stream.protocol.messages import ApiRequest, ApiResponse, Transport

_RESERVE = 0.1
"""The share of the API's budget that is left to the site's visitors."""


class RateLimitedTransport:
    """Spaces requests evenly, whichever thread sends them, and waits once the API's budget is low."""

    def __init__(
        self,
        transport: Transport,
        per_second: float | None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._transport = transport
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        self._wait()
        answer = self._transport.send(request, timeout=timeout)
        self._heed(answer)
        return answer

    def close(self) -> None:
        self._transport.close()

    def _wait(self) -> None:
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)

    def _heed(self, answer: ApiResponse) -> None:
        limit = ResponseMeta(answer.status, answer.headers).rate_limit
        if limit is not None and limit.remaining <= limit.limit * _RESERVE:
            with self._lock:
                self._next = max(self._next, limit.reset.timestamp())
