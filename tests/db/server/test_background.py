"""Without workers, no request waits for work without a bound: a thread of the process does it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import OperationalError, transaction
from django.test import Client
from django.utils import timezone

from django_stream import wakeup
from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server import background
from django_stream.server.actions import reaction_jobs, reactions
from django_stream.server.models import FanoutJob, ReactionJob
from django_stream.wakeup import waker
from tests.contract.calling import Api, ids, ok, post, token

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Django never closes a connection to a database in memory, such as that of the thread here.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FOLLOWERS = [f"timeline:{number}" for number in range(4)]
api = Api()


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """The thread does nothing before this event."""
    may_go_on = threading.Event()
    waker.call("hold", (), lambda: may_go_on.wait(30))
    yield may_go_on
    may_go_on.set()
    assert waker.flush(30)


def requested(method: str, path: str, body: Any = None) -> Any:
    answer = Client().generic(
        method,
        f"/api/v1.0/{path}?api_key={EMBEDDED_API_KEY}",
        b"" if body is None else json.dumps(body).encode(),
        content_type="application/json",
        headers={"Authorization": token(), "Stream-Auth-Type": "jwt"},
    )
    assert answer.status_code < 300, answer.content
    return answer.json()


def test_a_post_to_many_is_answered_before_they_have_it(held: threading.Event, settings: Any) -> None:
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = settings.STREAM_SERVER_FANOUT_CHUNK = 1
    ok("POST", "follow_many/", [{"source": name, "target": "user:1"} for name in FOLLOWERS])

    sent = requested("POST", "feed/user/1/", {"actor": "a", "verb": "v", "object": "o"})["id"]

    assert FanoutJob.objects.count() == 1
    assert [ids(name) for name in FOLLOWERS] == [[]] * 4
    held.set()
    assert waker.flush(30)
    assert [ids(name) for name in FOLLOWERS] == [[sent]] * 4
    assert not FanoutJob.objects.exists()


def test_few_rows_of_others_are_written_while_a_visitor_waits(held: threading.Event, settings: Any) -> None:
    settings.STREAM_SERVER_FANOUT_REQUEST_MAX = 3
    ok("POST", "follow_many/", [{"source": name, "target": "user:1"} for name in FOLLOWERS])
    ok("POST", "follow_many/", [{"source": name, "target": "user:2"} for name in FOLLOWERS[:3]])
    new = {"actor": "a", "verb": "v", "object": "o"}

    few = requested("POST", "feed/user/2/", new | {"object": "few"})["id"]
    many = requested("POST", "feed/user/1/", new)["id"]

    assert [ids(name) for name in FOLLOWERS] == [[few]] * 3 + [[]]
    assert ids("user:1") == [many], "the author sees it"
    unasked = post("user:1")["id"]
    assert [ids(name)[0] for name in FOLLOWERS] == [unasked] * 4, "nobody waits outside of a request"
    held.set()
    assert waker.flush(30)
    assert [many in ids(name) for name in FOLLOWERS] == [True] * 4
    assert not FanoutJob.objects.exists()


def test_a_large_tree_of_reactions_goes_and_comes_after_the_answer(
    held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "_BELOW_AT_ONCE", 1)
    monkeypatch.setattr(reaction_jobs, "_AT_ONCE", 1)
    root = api.react(post("user:1")["id"], "comment")["id"]
    for number in range(4):
        api.answer_to(root, "comment", f"u{number}", target_feeds=[f"user:u{number}"])

    requested("DELETE", f"reaction/{root}/")

    assert ReactionJob.objects.count() == 1
    held.set()
    assert waker.flush(30)
    assert not ReactionJob.objects.exists()
    assert [ids(f"user:u{number}") for number in range(4)] == [[]] * 4


def test_equal_work_that_waits_is_done_once(held: threading.Event) -> None:
    done: list[int] = []
    request_started.send(None)
    try:
        for number in (1, 1, 2):
            background.on_commit("some.task", lambda one: bool(done.append(one)), number)
    finally:
        request_finished.send(None)
    assert done == []
    held.set()
    assert waker.flush(30)
    assert done == [1, 2]


def test_what_is_no_request_does_its_work_itself() -> None:
    done: list[int] = []
    background.on_commit("some.task", lambda one: bool(done.append(one)), 1)
    assert done == [1]


def test_a_job_that_others_keep_from_writing_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wakeup, "_PAUSES", (0.0, 0.0))
    failures = {1: 2, 2: 3}
    done: list[int] = []

    def run(number: int) -> bool:
        if failures[number]:
            failures[number] -= 1
            raise OperationalError("database is locked")
        done.append(number)
        return False

    request_started.send(None)
    try:
        for number in failures:
            background.on_commit("some.task", run, number)
    finally:
        request_finished.send(None)
    assert waker.flush(30)
    assert done == [1]
    assert "some.task(2,) failed in the background" in caplog.text


def test_jobs_take_turns_whichever_is_long(held: threading.Event) -> None:
    done: list[int] = []

    def step(number: int) -> bool:
        done.append(number)
        return done.count(number) < 3

    request_started.send(None)
    try:
        for number in (1, 2):
            background.on_commit("some.task", step, number)
    finally:
        request_finished.send(None)
    held.set()
    assert waker.flush(30)
    assert done == [1, 2, 1, 2, 1, 2]


def test_what_a_process_left_goes_on_beside_the_next_job(settings: Any) -> None:
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = settings.STREAM_SERVER_FANOUT_CHUNK = 1
    ok("POST", "follow_many/", [{"source": name, "target": "user:1"} for name in FOLLOWERS])
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 0
    long_ago = timezone.now() - timedelta(hours=1)
    with transaction.atomic():
        sent = ok("POST", "feed/user/1/", {"actor": "a", "verb": "v", "object": "o"})["id"]
        rows = [*FanoutJob.objects.values("feed", "keys", "change")]
    FanoutJob.objects.bulk_create(FanoutJob(**row, touched_at=long_ago) for row in rows)
    assert FanoutJob.objects.count() == len(rows) > 0

    requested("POST", "feed/user/1/", {"actor": "a", "verb": "v", "object": "o2"})

    assert waker.flush(30)
    assert not FanoutJob.objects.exists()
    assert all(sent in ids(name) for name in FOLLOWERS)
