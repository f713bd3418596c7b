"""Requests keep to our rate and to what the API says is left."""

from __future__ import annotations

from typing import Any

from django_stream.operations.rate import RateLimitedTransport
from django_stream.protocol.messages import ApiRequest, ApiResponse

REQUEST = ApiRequest("GET", "feed/user/1/", "key", "token")


class Time:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Api:
    """Notes when it is called, and answers these headers one after the other."""

    def __init__(self, time: Time, *headers: dict[str, str]) -> None:
        self.time, self.headers, self.times = time, list(headers), list[float]()

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        self.times.append(self.time())
        return ApiResponse(200, {}, self.headers.pop(0) if self.headers else {})

    def close(self) -> None:
        self.is_closed = True


def called_at(count: int, rate: float | None, *headers: dict[str, str]) -> list[float]:
    time = Time()
    api = Api(time, *headers)
    transport = RateLimitedTransport(api, rate, clock=time, sleep=time.sleep)
    for _ in range(count):
        transport.send(REQUEST)
    return [moment - 1_000 for moment in api.times]


def left(remaining: int) -> dict[str, Any]:
    return {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": "1030"}


def test_requests_are_spaced_evenly() -> None:
    assert called_at(4, 2.0) == [0, 0.5, 1.0, 1.5]


def test_without_a_rate_nobody_waits() -> None:
    assert called_at(3, None, left(50), left(49)) == [0, 0, 0]


def test_the_last_tenth_of_the_budget_is_left_to_others() -> None:
    assert called_at(4, None, left(11), left(10), left(99)) == [0, 0, 30, 30]
    assert called_at(3, 1.0, left(0)) == [0, 30, 31]
