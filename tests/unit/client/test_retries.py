"""The arithmetic of trying again."""

from __future__ import annotations

import pytest

from django_stream.client import NO_RETRIES, RetryPolicy
from django_stream.client.retries import asked_pause, is_repeatable


def test_pauses_double_up_to_the_cap_and_are_at_least_half_as_long() -> None:
    policy = RetryPolicy(backoff=0.1, backoff_cap=0.5)

    assert [policy.pause(attempt, 1) for attempt in range(4)] == [0.1, 0.2, 0.4, 0.5]
    assert [policy.pause(attempt, 0) for attempt in range(4)] == [0.05, 0.1, 0.2, 0.25]


def test_the_deadline_is_three_timeouts_unless_given() -> None:
    assert RetryPolicy().deadline_for(3) == 9
    assert RetryPolicy(deadline=20).deadline_for(3) == 20
    assert NO_RETRIES.retries == 0


@pytest.mark.parametrize(
    ("status", "repeatable", "again"),
    [
        *((status, True, True) for status in (429, 502, 503, 504)),
        *((status, True, False) for status in (200, 400, 404, 409, 500)),
        *((status, False, False) for status in (200, 500, 502, 503, 504)),
        (429, False, True),
    ],
)
def test_which_answers_are_worth_another_try(status: int, repeatable: bool, again: bool) -> None:
    assert RetryPolicy().after_answer(status, repeatable) is again


def test_reads_and_deletes_are_repeatable_and_writes_only_if_marked() -> None:
    assert [method for method in ("GET", "DELETE", "POST", "PUT") if is_repeatable(method, False)] == [
        "GET",
        "DELETE",
    ]
    assert is_repeatable("POST", True)


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (429, {"Retry-After": "7"}, 7),
        (503, {"Retry-After": " 7 "}, 7),
        (429, {"X-RateLimit-Reset": "1010"}, 10),
        (429, {"X-RateLimit-Reset": "990"}, 0),
        (503, {"X-RateLimit-Reset": "1010"}, None),
        (429, {"Retry-After": "Thu, 01 Jan 1970 00:16:45 GMT"}, 5),
        (429, {"Retry-After": "-1"}, None),
        (429, {}, None),
    ],
)
def test_the_pause_that_a_server_asks_for(status: int, headers: dict[str, str], pause: float | None) -> None:
    assert asked_pause(status, headers, 1000) == pause
