"""A large fan-out delays no small one: counted in steps, not in seconds."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from celery import current_app
from django.utils import timezone

from django_stream.database.requests import others_wait, serving_others
from django_stream.server import tasks
from django_stream.server.fanout import jobs
from django_stream.server.fanout.pace import Pace
from django_stream.server.models import FanoutJob, Feed
from django_stream.server.timelines.database import DatabaseTimelines
from django_stream.wakeup import waker
from tests.contract.calling import ids, ok, post
from tests.fake_broker import Broker, broker

__all__ = ["broker"]

pytestmark = pytest.mark.django_db
FOLLOWERS = [f"timeline:{number}" for number in range(12)]


@pytest.fixture(autouse=True)
def steps_of_two_followers(settings):
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 0
    settings.STREAM_SERVER_FANOUT_CHUNK = 2


def job_of(author: str, followers: list[str]) -> int:
    """The job of a post by somebody with these followers."""
    ok("POST", "follow_many/", [{"source": name, "target": author} for name in followers])
    post(author)
    return FanoutJob.objects.get(feed=Feed.objects.get(slug="user", user_id=author[5:]).pk).pk


def position(job: int) -> int:
    return FanoutJob.objects.filter(pk=job).values_list("position", flat=True).get()


@pytest.fixture
def large() -> int:
    job = job_of("user:celebrity", FOLLOWERS)
    assert jobs.run_step(job)
    return job


def test_what_had_no_step_yet_comes_before_a_further_one_of_a_large_fanout(large):
    before = position(large)
    job_of("user:small", ["timeline:99"])
    assert jobs.run_step(large)
    assert len(ids("timeline:99")) == 1
    assert FanoutJob.objects.get().pk == large
    assert position(large) > before


def test_no_two_steps_of_a_job_are_taken_out_of_turn(large):
    other = job_of("user:other", ["timeline:97", "timeline:98", "timeline:99"])
    assert jobs.run_step(large)
    first = position(other)
    assert first > 0
    assert jobs.run_step(large)
    assert position(other) == first
    assert jobs.run_chunk(other, is_first=True)
    assert position(other) == first


def test_a_large_fanout_goes_on_however_many_small_ones_come(large):
    for number in range(15):
        job_of(f"user:small{number}", [f"timeline:1{number}"])
    before = position(large)
    assert jobs.run_step(large)
    assert position(large) > before
    assert FanoutJob.objects.count() == 1 + 15 - 10


def test_a_small_fanout_that_fails_fails_alone(large, monkeypatch, caplog):
    broken, before = job_of("user:small", ["timeline:99"]), position(large)
    feed, served = FanoutJob.objects.get(pk=broken).feed, DatabaseTimelines.fan_out_part

    def fan_out_part(self, one, *rest):
        if one == feed:
            raise ValueError("no room")
        served(self, one, *rest)

    monkeypatch.setattr(DatabaseTimelines, "fan_out_part", fan_out_part)
    assert jobs.run_step(large)
    assert position(large) > before
    assert position(broken) == 0
    assert f"the fan-out {broken} failed" in caplog.text


@pytest.fixture
def workers(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Celery app has some."""
    for name, value in (("broker_url", "memory://"), ("task_always_eager", False)):
        monkeypatch.setitem(current_app.conf, name, value)


@pytest.mark.usefixtures("workers")
def test_a_worker_takes_one_step_and_leaves_the_next_to_the_queue(settings, broker, large):
    settings.STREAM_SERVER_FANOUT_QUEUE = "large"
    before = position(large)
    tasks.fan_out(large)
    assert broker.sent == [(jobs.FAN_OUT_TASK, (large,), "large", 0.0)]
    assert position(large) > before
    taken = 1
    while broker.sent:
        broker.sent.clear()
        tasks.fan_out(large)
        taken += 1
    # One was taken before; the last one finds nobody.
    assert taken == len(FOLLOWERS) // 2
    assert not FanoutJob.objects.exists()


@pytest.mark.usefixtures("workers")
def test_a_worker_whose_broker_refuses_goes_on_itself(broker, large, monkeypatch):
    # In the test's transaction nothing may close the connection.
    monkeypatch.setattr("django_stream.wakeup.connections", SimpleNamespace(close_all=lambda: None))
    broker.fails = True
    tasks.fan_out(large)
    assert not FanoutJob.objects.exists()
    assert [len(ids(name)) for name in FOLLOWERS] == [1] * len(FOLLOWERS)


@pytest.mark.usefixtures("workers")
def test_maintenance_gives_each_job_that_was_left_to_the_queue_and_does_none(broker, large, settings):
    settings.STREAM_SERVER_FANOUT_QUEUE = "large"
    FanoutJob.objects.update(touched_at=timezone.now() - timedelta(seconds=301))
    before = position(large)
    tasks.maintain()
    assert broker.sent == [(jobs.FAN_OUT_TASK, (large,), "large", 0.0)]
    assert position(large) == before
    tasks.maintain()
    assert len(broker.sent) == 1, "a queue that is behind would fill with them"


@pytest.mark.usefixtures("workers")
def test_maintenance_without_the_broker_leaves_the_job_to_the_next_round(broker, large):
    broker.fails = True
    FanoutJob.objects.update(touched_at=timezone.now() - timedelta(seconds=301))
    tasks.maintain()
    assert FanoutJob.objects.filter(pk=large).exists()
    broker.fails = False
    FanoutJob.objects.update(touched_at=timezone.now() - timedelta(seconds=301))
    tasks.maintain()
    assert len(broker.sent) == 1


def test_without_workers_a_task_does_all(large):
    tasks.fan_out(large)
    assert not FanoutJob.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_who_serves_others_leaves_a_large_fanout_to_the_thread():
    ok("POST", "follow_many/", [{"source": name, "target": "user:1"} for name in FOLLOWERS])
    may_go_on = threading.Event()
    waker.call("hold", (), lambda: may_go_on.wait(30))
    try:
        with serving_others():
            assert others_wait()
            post("user:1")
        assert not others_wait()
        assert [len(ids(name)) for name in FOLLOWERS] == [0] * len(FOLLOWERS)
    finally:
        may_go_on.set()
        assert waker.flush(30)
    assert [len(ids(name)) for name in FOLLOWERS] == [1] * len(FOLLOWERS)


def test_steps_become_as_large_as_the_time_allows(settings):
    settings.STREAM_SERVER_FANOUT_CHUNK = 25_000
    settings.STREAM_SERVER_FANOUT_STEP_SECONDS = 0.1
    rows_a_second, now = 100_000, 0.0
    pace = Pace(lambda: now)

    def steps(number: int) -> list[int]:
        nonlocal now
        found = []
        for _ in range(number):
            found.append(pace.rows())
            with pace.measured(found[-1]):
                now += found[-1] / rows_a_second
        return found

    assert steps(2) == [5_000, 10_000]
    rows_a_second = 1_000_000
    assert steps(3) == [10_000, 20_000, 25_000]
    # Something else needs the database: at once half as many, and as few as fit soon after.
    rows_a_second = 10_000
    assert steps(8)[-1] == 1_000
    rows_a_second = 1
    assert steps(8)[-1] == 100
