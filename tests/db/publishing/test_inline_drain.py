"""Without workers a process drains by itself: with the commit, or when the response has gone out."""

from __future__ import annotations

import gc
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path

from django_stream.models import OutboxEntry
from django_stream.publishing import after_response
from django_stream.publishing.nudge import nudges_held
from django_stream.wakeup import waker
from tests.testapp.models import Article, Club

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
    # Django never closes a connection to a database in memory, such as those of the threads here.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FeedOf = Callable[..., list[dict[str, Any]]]


def write(request: HttpRequest) -> HttpResponse:
    for title in "ab":
        Article.objects.create(author=User.objects.get(), title=title)
    return JsonResponse({"waiting": OutboxEntry.objects.count()})


def fail(request: HttpRequest) -> HttpResponse:
    write(request)
    raise ZeroDivisionError


def undo(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        answer = write(request)
        transaction.set_rollback(True)
    return answer


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(str(part) for part in [write(request).content])


async def write_async(request: HttpRequest) -> HttpResponse:
    await Article.objects.acreate(author=await User.objects.aget(), title="a")
    return JsonResponse({"waiting": await OutboxEntry.objects.acount()})


urlpatterns = [path(view.__name__, view) for view in (write, fail, undo, stream, write_async)]


@pytest.fixture
def later(settings: Any, ada: User) -> None:
    settings.STREAM_INLINE_DRAIN = "response"


def titles(feed_of: FeedOf, ada: User) -> list[str]:
    return sorted(entry["title"] for entry in feed_of("user", ada))


def test_by_default_the_commit_publishes(client: Client, ada: User, feed_of: FeedOf) -> None:
    assert client.get("/write").json() == {"waiting": 0}
    assert titles(feed_of, ada) == ["a", "b"]


def test_the_response_does_not_wait_for_the_feeds(
    later: None, client: Client, ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    drains: list[str] = []
    real = after_response.drain
    monkeypatch.setattr(
        after_response, "drain", lambda using, **options: drains.append(using) or real(using, **options)
    )
    assert client.get("/write").json() == {"waiting": 2}
    assert titles(feed_of, ada) == ["a", "b"]
    assert drains == ["default"], "once, for two commits"


def test_nothing_of_a_rolled_back_transaction_is_left_for_the_next(
    ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    drains: list[bool] = []
    real = after_response.drain
    monkeypatch.setattr(
        after_response, "drain", lambda using, **how: drains.append(how["bulk"]) or real(using, **how)
    )
    with transaction.atomic():
        with transaction.atomic():
            Article.objects.bulk_create([Article(author=ada, title="never")])
            transaction.set_rollback(True)
        Article.objects.bulk_create([Article(author=ada, title="neither")])
        transaction.set_rollback(True)
    for title in "ab":
        with transaction.atomic():
            Article.objects.create(author=ada, title=title)
            Article.objects.create(author=ada, title=title * 2)
    assert drains == [False, False], "one of each commit, and none for the bulk operations"
    assert titles(feed_of, ada) == ["a", "aa", "b", "bb"]


async def served(url: str) -> Any:
    """By the handler that servers call; the client of the tests closes responses in some other thread."""
    headers = [(b"host", b"testserver")]
    scope = {"type": "http", "method": "GET", "path": url, "query_string": b"", "headers": headers}
    server = ApplicationCommunicator(ASGIHandler(), scope)
    await server.send_input({"type": "http.request"})
    await server.receive_output(10)
    body = await server.receive_output(10)
    await server.wait(10)
    gc.collect()
    return json.loads(body["body"])


def test_nor_does_that_of_an_asynchronous_view(later: None, ada: User, feed_of: FeedOf) -> None:
    assert async_to_sync(served)("/write_async") == {"waiting": 1}
    assert titles(feed_of, ada) == ["a"]


def test_a_view_that_fails_after_its_commit_publishes(
    later: None, ada: User, feed_of: FeedOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    assert Client(raise_request_exception=False).get("/fail").status_code == 500
    assert titles(feed_of, ada) == ["a", "b"]


def test_what_was_rolled_back_is_not_drained(
    later: None, client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(after_response, "drain", lambda *args, **options: pytest.fail("nothing to drain"))
    assert client.get("/undo").json() == {"waiting": 2}
    assert not OutboxEntry.objects.exists()


def test_a_streamed_response_is_drained_after_its_last_part(
    later: None, client: Client, ada: User, feed_of: FeedOf
) -> None:
    response = client.get("/stream")
    assert OutboxEntry.objects.count() == 2
    assert b"".join(response.streaming_content)
    assert titles(feed_of, ada) == ["a", "b"]


@pytest.mark.parametrize("when", ["commit", "response"])
def test_a_visitor_does_not_wait_for_all_that_others_left(
    when: str, client: Client, ada: User, feed_of: FeedOf, settings: Any
) -> None:
    settings.STREAM_INLINE_DRAIN, settings.STREAM_OUTBOX_BATCH_SIZE = when, 1
    with nudges_held():
        for number in range(9):
            Article.objects.create(author=ada, title=str(number))
    may_go_on = threading.Event()
    waker.call("hold", (), lambda: may_go_on.wait(30))

    client.get("/write")

    assert 0 < len(titles(feed_of, ada)) < 11
    may_go_on.set()
    assert waker.flush(30)
    assert titles(feed_of, ada) == [*"012345678ab"]
    gc.collect()


def test_outside_of_a_request_the_commit_publishes(later: None, ada: User, feed_of: FeedOf) -> None:
    Article.objects.create(author=ada, title="a")
    assert titles(feed_of, ada) == ["a"]


def test_a_request_of_another_thread_is_not_waited_for(later: None, ada: User, feed_of: FeedOf) -> None:
    request_started.send(None)
    try:
        thread = threading.Thread(target=publish_elsewhere, args=[ada])
        thread.start()
        thread.join()
        gc.collect()
        assert titles(feed_of, ada) == ["elsewhere"]
    finally:
        request_finished.send(None)


def publish_elsewhere(ada: User) -> None:
    Article.objects.create(author=ada, title="elsewhere")
    connections.close_all()


def test_a_drain_that_fails_leaves_the_entries(
    later: None, client: Client, ada: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(after_response, "drain", broken)

    assert client.get("/write").status_code == 200

    assert OutboxEntry.objects.count() == 2
    assert "its entries wait" in caplog.text
    assert Club.objects.count() == 0, "the connection can be used"
