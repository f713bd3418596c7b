"""What must hold of feeds holds when they are kept on a cluster."""

from __future__ import annotations

import random
import threading

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from django_stream.server.fanout import jobs
from django_stream.server.models import Feed, TimelineChange, TimelineEntry
from django_stream.server.timelines import timelines
from tests.contract.calling import Api, ok
from tests.db.server.test_convergence import STEPS, at_once, step
from tests.db.server.test_feeds_equal_model import FEED_GROUPS, FLAT, FeedMachine, PendingMachine, path
from tests.extras import needs
from tests.scale.held import compare

pytestmark = [
    pytest.mark.scale,
    pytest.mark.django_db(transaction=True),
]


ROUNDS = 6


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
    assert connection.vendor == "postgresql", "this test is about PostgreSQL: set DATABASE_URL"
    settings.STREAM_SERVER_FEED_GROUPS = FEED_GROUPS
    settings.STREAM_SERVER_TIMELINES_LENGTH = 3
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = inline_most
    settings.STREAM_SERVER_FANOUT_CHUNK = 1

    chances = [random.Random(f"{seed} {number}") for number in range(4)]
    found = 0
    for _ in range(ROUNDS):
        written = threading.Semaphore(0)

        def write(chance: random.Random, written=written) -> None:
            try:
                for _ in range(STEPS // ROUNDS):
                    step(chance)
            finally:
                written.release()

        def read(chance: random.Random, written=written) -> None:
            while not written.acquire(blocking=False):
                ok("GET", f"feed/{path(chance.choice(FLAT))}/")

        works = zip((write, write, read, read), chances, strict=True)
        at_once(*(lambda work=work, chance=chance: work(chance) for work, chance in works))
        jobs.resume(idle_seconds=0)
        timelines().prune()
        found += compare()
    assert found > 0
    for feed in Feed.objects.all():
        timelines().settle(feed.pk)
        before = timelines().snapshot(feed.pk)
        timelines().rebuild(feed.pk)
        assert timelines().snapshot(feed.pk) == before


@pytest.mark.parametrize("length", [2, 1000])
def test_a_feed_is_read_from_its_oldest_entry_on(on_cluster, settings, length):
    settings.STREAM_SERVER_TIMELINES_LENGTH = length
    ok("POST", "follow_many/", [{"source": "timeline:1", "target": f"user:{n}"} for n in range(3)])
    api = Api()
    for number in range(12):
        api.post(f"user:{number % 3}", foreign_id=f"a:{number}")
    made = api.ids("timeline:1", limit="100")[::-1]
    assert len(made) == 12

    found: list[str] = []
    while page := api.ids("timeline:1", order="oldest", limit="5", **({"id_gt": found[-1]} if found else {})):
        found += page
    assert found == made
    assert api.ids("timeline:1", order="oldest", limit="3", offset="2") == made[2:5]
    assert api.ids("timeline:1", order="oldest", limit="3", id_lt=made[2]) == made[:2]
