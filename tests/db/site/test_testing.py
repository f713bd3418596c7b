"""The kit for the tests of our users, and the wall around their tests."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from django_stream.activities.payload import IncompleteActivity
from django_stream.backends import NetworkInTests, get_client
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry
from django_stream.testing import (
    CapturedActivity,
    StreamAssertions,
    assert_not_published,
    assert_published,
    captured_activities,
    drain_outbox,
)
from tests.testapp.models import Article, Subscription, Tag

pytestmark = pytest.mark.django_db


def test_published_activities_are_asserted_by_any_name_of_a_feed(ada: User, grace: User) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    article = Article.objects.create(author=ada, title="one")

    found = assert_published(ada, verb="publish", title="one")
    assert found["object"] == f"testapp.Article:{article.pk}"
    assert_published(f"user:{ada.pk}", title="one")
    assert_published(feed_manager.get_feed("timeline", grace), title="one")
    StreamAssertions().assertPublished(grace, "timeline_aggregated", title="one")
    assert_not_published(grace)
    StreamAssertions().assertNotPublished(ada, title="two")

    with pytest.raises(AssertionError, match="no activity with {'title': 'two'} in user:"):
        assert_published(ada, title="two")
    with pytest.raises(AssertionError, match="holds"):
        assert_not_published(ada, title="one")


def test_what_would_be_sent_is_captured_without_sending(ada: User) -> None:
    with captured_activities() as captured:
        tag = Tag.objects.create(name="t", user=ada)
        Subscription.objects.create(reader=ada, writer=ada)
        Tag.objects.create(name="gone", user=ada).delete()

    assert [(one.model, one.key, one.feed) for one in captured] == [
        ("testapp.Tag", "t", f"user:{ada.pk}"),
        ("testapp.Tag", "gone", None),
    ]
    assert captured[0].activity is not None
    assert captured[0].activity["object"] == f"testapp.Tag:{tag.pk}"
    assert captured[1] == CapturedActivity("testapp.Tag", "gone", None, None)
    assert feed_manager.get_user_feed(ada).get()["results"] == []
    assert OutboxEntry.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_commits_send_nothing_while_they_are_captured(ada: User) -> None:
    with captured_activities() as captured:
        Tag.objects.create(name="t", user=ada)

    assert [one.key for one in captured] == ["t"]
    assert feed_manager.get_user_feed(ada).get()["results"] == []
    Tag.objects.create(name="u", user=ada)
    assert len(feed_manager.get_user_feed(ada).get()["results"]) == 2


def test_a_failure_is_raised_at_once(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tag, "activity_verb", "")
    Tag.objects.create(name="mute", user=ada)

    with pytest.raises(IncompleteActivity, match="testapp.Tag mute has no verb"):
        drain_outbox()
    with pytest.raises(IncompleteActivity), captured_activities():
        Tag.objects.create(name="mute too", user=ada)


@pytest.mark.parametrize("backend", ["hosted", "https://feeds.example.com"])
def test_no_test_reaches_a_network_unless_it_is_meant_to(backend: str, settings: Any) -> None:
    settings.STREAM_BACKEND = backend
    with pytest.raises(NetworkInTests, match="tests reach no network: set it to 'embedded'"):
        get_client()

    settings.STREAM_NETWORK_IN_TESTS = True
    assert backend.removeprefix("https://") in repr(get_client()) or backend == "hosted"


def test_a_process_that_runs_no_tests_is_let_through(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mail, "outbox")
    settings.STREAM_BACKEND = "https://feeds.example.com"

    assert "feeds.example.com" in repr(get_client())


def test_a_setting_under_its_former_name_is_refused_and_not_ignored(settings: Any) -> None:
    settings.STREAM_HOME = "https://feeds.example.com"

    with pytest.raises(ImproperlyConfigured, match="STREAM_HOME is now called STREAM_BACKEND"):
        get_client()
