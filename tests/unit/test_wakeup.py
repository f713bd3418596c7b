"""Workers are woken from a thread of their own: callers never wait, and no broken broker hurts them."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from celery import current_app

from django_stream.wakeup import Waker, celery_is_configured, has_workers, waker
from tests.fake_broker import Broker, broker
from tests.services.processes import wait_until

__all__ = ["broker"]

_AT_EXIT = """
import sys
from celery import Celery
from celery.signals import before_task_publish
from django.conf import settings
settings.configure()
app = Celery(broker="memory://", set_as_current=True)
before_task_publish.connect(lambda headers=None, **_: print("sent", headers["task"], flush=True), weak=False)
from django_stream.wakeup import waker
waker.send("some.task", ("default",))
"""


def test_a_task_is_sent_by_its_name_with_queue_and_countdown(broker: Broker) -> None:
    waker.send("some.task", ("default", True), queue="bulk", countdown=2.0)
    waker.send("other.task")

    assert waker.flush(30)
    assert broker.sent == [("some.task", ("default", True), "bulk", 2.0), ("other.task", (), None, 0.0)]


def test_a_nudge_expires_and_a_job_does_not(broker: Broker) -> None:
    waker.send("nudge", expires=900.0)
    waker.send("job")

    assert waker.flush(30)
    assert broker.expiries == [900.0, None]


def test_nobody_waits_and_equal_messages_that_wait_are_sent_once(broker: Broker) -> None:
    broker.may_go_on.clear()
    waker.send("first")
    for _ in range(3):
        waker.send("second", (1,))
    assert not waker.flush(0)
    broker.may_go_on.set()

    assert waker.flush(30)
    # The first may have been taken in hand before the others came, or with them.
    assert broker.sent == [("first", (), None, 0.0), ("second", (1,), None, 0.0)]


def test_commits_in_a_row_wake_a_worker_a_few_times_and_not_each(broker: Broker) -> None:
    for number in range(200):
        waker.send("drain", ("default",))
        if number == 0:
            wait_until(lambda: bool(broker.sent), "the first one is sent at once", within=30)
    assert waker.flush(30)

    # One after each rest, and there were hardly any while these were said.
    assert 2 <= len(broker.sent) < 20


def test_a_broker_that_fails_costs_a_log_line_and_hands_the_work_back(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.fails = True
    done: list[str] = []

    def in_this_thread() -> None:
        done.append(threading.current_thread().name)

    with caplog.at_level(logging.ERROR, "django_stream.wakeup"):
        waker.send("some.task", (1,), on_failure=in_this_thread)
        assert waker.flush(30)

    assert done == ["django_stream.waker"]
    (record,) = caplog.records
    assert record.getMessage() == "task some.task(1,) could not be sent to the broker: no broker"
    assert record.exc_info is None


def test_work_that_fails_as_well_does_not_end_the_thread(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.fails = True
    waker.send("some.task", on_failure=_fail)
    assert waker.flush(30)
    broker.fails = False
    waker.send("next.task")

    assert waker.flush(30)
    assert [task for task, *_ in broker.sent] == ["next.task"]
    assert "failed in the background" in caplog.text


def _fail(*_: Any) -> None:
    raise RuntimeError("nor here")


def test_a_thread_that_cannot_be_started_raises_nothing_and_keeps_the_message(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Waker()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", _fail)
        fresh.send("waits")
    fresh.send("next")

    assert fresh.flush(30)
    assert [task for task, *_ in broker.sent] == ["waits", "next"]


def test_it_goes_on_in_a_forked_process(broker: Broker) -> None:
    waker.send("before")
    assert waker.flush(30)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            waker.send("in the child")
            os.write(write, b"sent" if waker.flush(10) and broker.sent[-1][0] == "in the child" else b"lost")
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert os.read(read, 10) == b"sent"


def test_a_process_that_ends_sends_its_last_message_first() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _AT_EXIT], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stdout == "sent some.task\n", done.stderr


@pytest.mark.parametrize("broker_url", ["amqp://127.0.0.1:{}", "redis://127.0.0.1:{}"])
def test_a_process_whose_broker_is_down_ends_at_once_with_one_line_for_each_message(broker_url: str) -> None:
    if broker_url.startswith("redis"):
        pytest.importorskip("redis")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # a port on which nobody listens
        program = _AT_EXIT.replace("memory://", broker_url.format(nobody.getsockname()[1]))
        program = program.replace("set_as_current=True)", "set_as_current=True)\napp.set_default()", 1)
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", program + 'waker.send("some.other")'],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "task some.task('default',) could not be sent to the broker",
        "task some.other() could not be sent to the broker",
    ]
    # Python itself, and everything that it imports, takes most of it.
    assert time.monotonic() - started < 5.0 + _start_up_seconds()


def _start_up_seconds() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import celery, django, kombu, redis"], check=False, timeout=60)
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("options", "configured", "workers"),
    [
        ({}, False, False),
        ({"broker_url": "amqp://localhost"}, True, True),
        ({"broker_write_url": "amqp://localhost"}, True, True),
        ({"task_always_eager": True}, True, False),
        ({"broker_url": "amqp://localhost", "task_always_eager": True}, True, False),
    ],
)
def test_who_works_off_tasks_is_read_from_celery(
    options: dict[str, Any], configured: bool, workers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"broker_url": None, "broker_write_url": None, "task_always_eager": False}
    for name, value in (nothing | options).items():
        monkeypatch.setitem(current_app.conf, name, value)

    assert (celery_is_configured(), has_workers()) == (configured, workers)


def test_a_step_begins_after_the_rest_that_it_was_given(broker: Broker) -> None:
    fresh, begun, ended = Waker(), [], []

    def step() -> bool:
        begun.append(time.monotonic())
        ended.append(time.monotonic())
        return len(begun) < 3

    fresh.call_in_steps("work", (), step, rest=0.02)
    assert fresh.flush(30)
    assert len(begun) == 3
    assert all(next_one - end >= 0.02 for end, next_one in zip(ended, begun[1:], strict=False))
