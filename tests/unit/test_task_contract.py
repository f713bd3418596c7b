"""Names and arguments of tasks are a contract: during a deploy, workers take messages of the version before.

A line may be added here. One that is changed or taken out breaks workers or web processes that are not yet
restarted: keep the former name, and give new arguments defaults.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from celery import current_app

from django_stream.publishing import nudge
from django_stream.server import background
from django_stream.server.actions import reaction_jobs, removal_jobs
from django_stream.server.fanout import jobs
from django_stream.server.timelines import group_marks
from django_stream.wakeup import waker
from tests.fake_broker import Broker, broker

__all__ = ["broker"]

JOBS = (jobs.FAN_OUT_TASK, reaction_jobs.TASK, removal_jobs.TASK, group_marks.TASK)

MESSAGES: list[tuple[str, tuple[Any, ...]]] = [
    ("django_stream.drain_outbox", ()),
    ("django_stream.drain_outbox", ("default",)),
    ("django_stream.drain_outbox", ("default", True)),
    ("django_stream.server.fan_out", (1,)),
    ("django_stream.server.follow_reaction", (1,)),
    ("django_stream.server.remove_activities", (1,)),
    ("django_stream.server.mark_groups", (1,)),
    ("django_stream.server.unfollow", (1,)),
    ("django_stream.server.maintain", ()),
    ("django_stream.server.maintain", (300.0,)),
    ("django_stream.server.deliver_webhooks", ()),
    ("django_stream.notifications.send_digests", ()),
]
"""What web processes and beat have sent since the first version."""


@pytest.mark.parametrize(("name", "args"), MESSAGES)
def test_a_worker_takes_what_the_version_before_sent(name: str, args: tuple[Any, ...]) -> None:
    current_app.loader.import_default_modules()
    inspect.signature(current_app.tasks[name].run).bind(*args)


@pytest.mark.django_db
def test_workers_of_the_version_before_take_what_is_sent_now(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    for module in (nudge, background):
        monkeypatch.setattr(module, "has_workers", lambda: True)
    nudge.nudge("default", bulk=True)
    with django_capture_on_commit_callbacks(execute=True):
        for task in JOBS:
            background.on_commit(task, bool, 1)
    assert waker.flush(30)
    known = {(name, tuple(map(type, args))) for name, args in MESSAGES}
    sent = {(task, tuple(map(type, args))) for task, args, *_ in broker.sent}
    assert len(sent) == 1 + len(JOBS)
    assert sent <= known
    # What no worker takes for long is the schedule's; a job is nobody else's.
    assert {task for (task, *_), expires in zip(broker.sent, broker.expiries, strict=True) if expires} == {
        nudge.DRAIN_TASK
    }
    # Not before a worker may take it.
    for (*_, countdown), expires in zip(broker.sent, broker.expiries, strict=True):
        assert expires is None or expires > countdown + 60
