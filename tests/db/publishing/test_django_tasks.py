"""django.tasks in place of Celery (Django 6.0 and newer): each commit enqueues a task, and workers drain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import django
import pytest
from django.contrib.auth.models import User

from django_stream.checks import check_settings
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry
from django_stream.wakeup import waker
from tests.testapp.models import Article

pytestmark = pytest.mark.django_db(transaction=True)
FeedOf = Callable[..., list[dict[str, Any]]]
has_tasks = pytest.mark.skipif(django.VERSION < (6, 0), reason="Django has no tasks before 6.0")


def found() -> list[str]:
    return [one.id for one in check_settings() if str(one.id).endswith("022")]


@pytest.mark.skipif(django.VERSION >= (6, 0), reason="Django has tasks")
def test_an_older_django_is_told_of(settings: Any) -> None:
    settings.STREAM_WORKERS = "django"
    assert found() == ["django_stream.E022"]


@pytest.fixture
def tasks(settings: Any) -> Any:
    settings.STREAM_WORKERS = "django"
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    from django.tasks import default_task_backend

    default_task_backend.clear()
    return default_task_backend


@has_tasks
def test_a_commit_enqueues_a_task_that_publishes(tasks: Any, ada: User, feed_of: FeedOf) -> None:
    Article.objects.create(author=ada, title="a")
    assert feed_of("user", ada) == []

    (result,) = tasks.results
    assert result.args == ["default", False]
    assert result.task.call(*result.args, **result.kwargs) == 1
    assert [entry["title"] for entry in feed_of("user", ada)] == ["a"]


@has_tasks
def test_bulk_operations_and_long_queues_are_several_tasks(
    tasks: Any, ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_stream.publishing import nudge

    settings.STREAM_OUTBOX_BATCH_SIZE = 1
    monkeypatch.setattr(nudge, "_BATCHES_PER_TASK", 2)
    Article.objects.bulk_create(Article(author=ada, title=title) for title in "abc")
    for done in (2, 1):
        result = tasks.results.pop()
        assert result.args == ["default", True]
        assert result.task.call(*result.args) == done
    assert tasks.results == []
    assert not OutboxEntry.objects.exists()


@has_tasks
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_large_fanout_is_done_beside_the_task_that_leads_to_it(
    tasks: Any, ada: User, grace: User, settings: Any, feed_of: FeedOf
) -> None:
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 0
    feed_manager.get_feed("timeline", grace.pk).follow("user", ada.pk)
    Article.objects.create(author=ada, title="a")
    may_go_on = threading.Event()
    waker.call("hold", (), lambda: may_go_on.wait(30))
    try:
        (result,) = tasks.results
        assert result.task.call(*result.args) == 1
        assert feed_of("timeline", grace) == []
    finally:
        may_go_on.set()
        assert waker.flush(30)
    assert [entry["title"] for entry in feed_of("timeline", grace)] == ["a"]


@has_tasks
def test_the_immediate_backend_drains_on_the_spot(settings: Any, ada: User, feed_of: FeedOf) -> None:
    settings.STREAM_WORKERS = "django"
    Article.objects.create(author=ada, title="a")
    assert [entry["title"] for entry in feed_of("user", ada)] == ["a"]


@has_tasks
def test_a_backend_that_is_down_costs_a_line_in_the_log(
    tasks: Any, ada: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*args: Any) -> None:
        raise OSError("nobody answers")

    monkeypatch.setattr(type(tasks._connections[tasks._alias]), "enqueue", down)  # noqa: SLF001

    Article.objects.create(author=ada, title="a")

    assert "its entries wait: nobody answers" in caplog.text
    assert OutboxEntry.objects.count() == 1


@has_tasks
def test_backends_without_workers_are_told_of(tasks: Any, settings: Any) -> None:
    assert found() == ["django_stream.W022"]
    settings.STREAM_WORKERS = "celery"
    assert found() == []
