"""A change is parked for what is its own fault: attempts in which nobody looked at it do not count."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_stream.client.exceptions import ConnectionFailed, RequestTimeout
from django_stream.models import OutboxEntry
from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import ApiResponse
from django_stream.publishing.backfill import note_all
from django_stream.publishing.parking import retry_parked
from django_stream.publishing.publisher import publisher_for
from django_stream.publishing.report import DrainReport
from django_stream.publishing.status import outbox_status
from django_stream.tracking import drain
from tests.faults import BreakingTransport, Clock, Step, answering, before, client_over, meanwhile
from tests.testapp.models import Tag

pytestmark = pytest.mark.django_db


def answer(name: str) -> Step:
    error = ApiError.named(name, "not now")
    return answering(ApiResponse(error.http_status, error.envelope() | {"duration": "1ms"}))


BUSY = answer("RateLimitReached")
BROKEN = answer("InternalException")
LOST = before(RequestTimeout("no whole answer in time"))
OUT_OF_REACH = before(ConnectionFailed("no connection", unsent=True))
KILLED = before(KeyboardInterrupt())


@pytest.fixture(autouse=True)
def three_failures(settings: Any) -> None:
    settings.STREAM_OUTBOX_MAX_ATTEMPTS = 3


@pytest.fixture
def tag(ada: User) -> Tag:
    return Tag.objects.create(name="a", user=ada)


def attempts(clock: Clock, *steps: Step) -> list[DrainReport]:
    """One drain for each step, each when the last one's retry is due."""
    reports = []
    client = client_over(BreakingTransport(*steps))
    for _ in steps:
        with suppress(KeyboardInterrupt):
            reports.append(drain(client=client, clock=clock))
        clock.forward(hours=2)
    return reports


@pytest.mark.parametrize("step", [OUT_OF_REACH, BUSY, KILLED], ids=["out of reach", "busy", "killed"])
def test_what_nobody_looked_at_keeps_all_its_attempts(step: Step, tag: Tag, clock: Clock) -> None:
    reports = attempts(clock, *[step] * 25, BROKEN, *[step] * 2, LOST)

    assert {report.parked for report in reports} == {0}
    assert drain(clock=clock).published == 1
    assert not OutboxEntry.objects.exists()


@pytest.mark.parametrize("step", [BROKEN, LOST], ids=["broken", "answer lost"])
def test_failures_count_whatever_lies_between_them(step: Step, tag: Tag, clock: Clock) -> None:
    reports = attempts(clock, step, OUT_OF_REACH, step, BUSY, step)

    assert [report.parked for report in reports] == [0, 0, 0, 0, 1]
    assert OutboxEntry.objects.get().attempts == 3


def test_the_rest_of_a_batch_that_broke_off_has_lost_nothing(ada: User, grace: User, clock: Clock) -> None:
    for name, user in (("first", ada), ("other", grace)):
        Tag.objects.create(name=name, user=user)

    reports = attempts(clock, LOST, LOST, LOST)

    assert [(report.failed, report.parked) for report in reports] == [(2, 0), (2, 0), (1, 1)]
    waiting = OutboxEntry.objects.get(parked_at=None)
    assert waiting.attempts == 0
    assert waiting.reason == "not sent, since the call before it failed: no whole answer in time"


def test_a_success_ends_the_count(tag: Tag, clock: Clock) -> None:
    attempts(clock, BROKEN, BROKEN)
    assert drain(clock=clock).published == 1
    tag.created_at += timedelta(days=1)
    tag.save()

    assert [report.parked for report in attempts(clock, BROKEN, BROKEN, BROKEN)] == [0, 0, 1]


@pytest.mark.parametrize("again", ["retried", "changed"])
def test_a_parked_object_has_all_its_attempts_again(again: str, tag: Tag, clock: Clock) -> None:
    attempts(clock, BROKEN, BROKEN, BROKEN)
    if again == "retried":
        assert retry_parked() == 1
    else:
        tag.save()

    assert [report.parked for report in attempts(clock, BROKEN, BROKEN, BROKEN)] == [0, 0, 1]


def test_an_overtaken_worker_costs_its_object_no_attempt(tag: Tag, clock: Clock) -> None:
    def sleep_past_the_lease_while_another_works() -> None:
        clock.forward(minutes=6)
        drain(clock=clock)

    overtaken = client_over(BreakingTransport(meanwhile(sleep_past_the_lease_while_another_works), BROKEN))
    drain(client=overtaken, clock=clock)

    assert OutboxEntry.objects.get().attempts == 1


def test_delays_grow_while_the_home_is_out_of_reach(tag: Tag, clock: Clock) -> None:
    attempts(clock, *[OUT_OF_REACH] * 40)

    delay = OutboxEntry.objects.get().due_at - (clock.now - timedelta(hours=2))
    assert timedelta(minutes=30) <= delay <= timedelta(hours=1)


def test_a_monitor_sees_what_waits_for_the_home(tag: Tag, clock: Clock) -> None:
    assert outbox_status().retrying == 0
    attempts(clock, OUT_OF_REACH)

    assert (outbox_status().depth, outbox_status().retrying) == (1, 1)


def test_what_is_sent_by_force_has_not_failed(tag: Tag) -> None:
    drain()
    publisher = publisher_for("testapp.Tag")
    assert publisher is not None
    list(note_all(publisher, "default", force=True))

    assert outbox_status().retrying == 0
    assert drain(clock=timezone.now).unchanged == 0
