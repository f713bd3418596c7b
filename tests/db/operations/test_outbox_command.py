"""What waits can be seen, published, parked, retried and forgotten."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_stream.backends import get_client
from django_stream.models import OutboxEntry
from django_stream.tracking import activities_paused
from tests.testapp.models import Article, Subscription, Tag

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def run(*args: str) -> tuple[list[dict[str, Any]], int]:
    """The lines, and the exit code."""
    out, code = StringIO(), 0
    try:
        call_command(*args, "--json", stdout=out, stderr=out)
    except CommandError as error:
        code = error.returncode
    return [json.loads(line) for line in out.getvalue().splitlines()], code


@pytest.fixture
def waiting(ada: User) -> Article:
    Tag.objects.create(name="t", user=ada)
    return Article.objects.create(author=ada, title="a")


def test_status_tells_each_model_and_drain_publishes(waiting: Article, ada: User, feed_of: Any) -> None:
    lines, code = run("stream_outbox", "status")
    assert [(line["label"], line["waiting"]) for line in lines[:-1]] == [
        ("testapp.Article", 1),
        ("testapp.Tag", 1),
    ]
    assert (lines[-1]["depth"], lines[-1]["parked"], code) == (2, 0, 0)

    assert run("stream_outbox", "drain", "--dry-run")[0][-1]["waiting"] == 2
    assert feed_of("user", ada) == []
    assert run("stream_outbox", "drain")[0][-1]["published"] == 2
    assert len(feed_of("user", ada)) == 2


def test_park_retry_and_prune_by_model(waiting: Article, ada: User, feed_of: Any) -> None:
    assert run("stream_outbox", "park", "testapp.tag", "--dry-run")[0][-1]["entries"] == 1
    assert run("stream_outbox", "park", "testapp.tag")[0][-1]["entries"] == 1
    lines, code = run("stream_outbox", "status")
    assert (lines[1]["parked"], lines[1]["reason"], code) == (1, "parked by stream_outbox", 1)
    assert run("stream_outbox", "drain")[0][-1]["published"] == 1

    assert run("stream_outbox", "retry", "testapp.Article")[0][-1]["entries"] == 0
    assert run("stream_outbox", "prune")[0][-1]["entries"] == 0, "it is not parked for long"
    OutboxEntry.objects.update(parked_at=timezone.now() - timedelta(days=31))
    assert run("stream_outbox", "prune", "--dry-run")[0][-1]["entries"] == 1
    assert run("stream_outbox", "retry")[0][-1]["entries"] == 1
    assert run("stream_outbox", "drain")[0][-1]["published"] == 1
    assert len(feed_of("user", ada)) == 2


def test_what_is_parked_for_long_is_forgotten(waiting: Article) -> None:
    run("stream_outbox", "park")
    OutboxEntry.objects.filter(model_label="testapp.Tag").update(parked_at=timezone.now() - timedelta(days=8))
    assert run("stream_outbox", "prune", "--days", "7")[0][-1]["entries"] == 1
    assert OutboxEntry.objects.get().model_label == "testapp.Article"


def test_a_failure_is_exit_code_one(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    Article.objects.create(author=ada, title="a")
    monkeypatch.setattr(Article, "activity_target", property(lambda self: self.nothing))
    lines, code = run("stream_outbox", "drain")
    assert (lines[-1]["parked"], lines[-1]["ok"], code) == (1, False, 1)


def test_watching_is_for_drains() -> None:
    assert run("stream_outbox", "status", "--watch") == ([], 2)


def test_sync_prunes_follows_that_no_row_means(ada: User, grace: User) -> None:
    with activities_paused():
        Subscription.objects.create(reader=grace, writer=ada)
    timeline = get_client().feed("timeline", grace.pk)
    timeline.follow("user", 4711)

    def followed() -> list[str]:
        return sorted(one["target_id"] for one in timeline.following()["results"])

    run("stream_sync")
    assert followed() == sorted([f"user:{ada.pk}", "user:4711"])
    lines, _ = run("stream_sync", "--prune", "--dry-run")
    assert lines[-1]["sent"] == 1
    assert len(followed()) == 2
    lines, code = run("stream_sync", "--prune")
    assert (lines[-1]["sent"], code) == (1, 0)
    assert followed() == [f"user:{ada.pk}"]


def test_sync_of_all_brings_what_is_no_activity(ada: User) -> None:
    lines, _ = run("stream_sync", "--all", "--dry-run")
    kinds = {line["model"].partition(" ")[2].partition(":")[0] for line in lines[:-1]}
    assert kinds == {"user", "collection", "reaction", "follow"}
