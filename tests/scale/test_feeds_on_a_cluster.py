"""What must hold of feeds holds when they are kept on a cluster."""

from __future__ import annotations

import random

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from django_stream.server.fanout import jobs
from django_stream.server.models import Feed, TimelineChange, TimelineEntry
from django_stream.server.timelines import timelines
from tests.contract.calling import ok
from tests.db.server.test_convergence import STEPS, at_once, step
from tests.db.server.test_feeds_equal_model import FEED_GROUPS, FLAT, FeedMachine, PendingMachine, path
from tests.extras import needs
from tests.scale.held import compare

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
]


class _Kept:
    """Timelines stay between comparisons, so that changes come to them."""

    def compare_rebuilt(self) -> None:
        assert compare() == Feed.objects.filter(slug__in=["user", "timeline"]).count()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            TimelineChange.objects.all().delete()

    @rule()
    def forget(self) -> None:
        """As when a node has too little memory."""
        for feed in Feed.objects.all():
            timelines().rebuild(feed.pk)


class AtOnceMachine(_Kept, FeedMachine):
    pass


class InChunksMachine(_Kept, PendingMachine):
    pass


@needs("aggregation")
@pytest.mark.parametrize("length", [2, 1000])
@pytest.mark.parametrize("machine", [AtOnceMachine, InChunksMachine])
def test_feeds_equal_the_model_and_the_record_after_any_history(
    on_cluster, settings_of_machine, machine, length
):
    settings_of_machine(machine, length)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert not TimelineEntry.objects.exists()


@pytest.fixture
def settings_of_machine(settings):
    def choose(machine, length):
        settings.STREAM_SERVER_FEED_GROUPS = FEED_GROUPS
        settings.STREAM_SERVER_TIMELINES_LENGTH = length
        if machine is InChunksMachine:
            settings.STREAM_SERVER_FANOUT_INLINE_MAX = 0
            settings.STREAM_SERVER_FANOUT_CHUNK = 1

    return choose


@needs("aggregation")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("inline_most", [5000, 0], ids=["inline", "chunks"])
def test_writers_and_readers_at_once_leave_what_the_record_says(on_cluster, settings, seed, inline_most):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time needs no test")
    settings.STREAM_SERVER_FEED_GROUPS = FEED_GROUPS
    settings.STREAM_SERVER_TIMELINES_LENGTH = 3
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = inline_most
    settings.STREAM_SERVER_FANOUT_CHUNK = 1

    def writer(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        for _ in range(STEPS):
            step(chance)

    def reader() -> None:
        chance = random.Random(seed)
        for _ in range(STEPS * 4):
            ok("GET", f"feed/{path(chance.choice(FLAT))}/")

    at_once(lambda: writer(1), lambda: writer(2), reader, reader)
    jobs.resume(idle_seconds=0)
    timelines().prune()
    assert compare() > 0
    for feed in Feed.objects.all():
        before = timelines().snapshot(feed.pk)
        timelines().rebuild(feed.pk)
        assert timelines().snapshot(feed.pk) == before
