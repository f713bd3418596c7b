"""Whoever asks why something is in a feed, or is not, is told the step at which it stopped."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from django_stream.backends import get_client
from django_stream.models import OutboxEntry
from django_stream.publishing.models import never
from django_stream.testing import drain_outbox
from django_stream.tracking import activities_paused
from tests.testapp.models import Article, Plain, Subscription

pytestmark = pytest.mark.django_db


def explain(*args: str) -> str:
    out = StringIO()
    call_command("stream_explain", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def article(ada: User, grace: User) -> Article:
    Subscription.objects.create(reader=grace, writer=ada)
    article = Article.objects.create(author=ada, title="a")
    article.mentioned.add(grace)
    drain_outbox()
    return article


def name(article: Article) -> str:
    return f"testapp.Article:{article.pk}"


def test_the_way_into_a_follower_s_feed(article: Article, ada: User, grace: User) -> None:
    told = explain(name(article), "--feed", f"timeline:{grace.pk}")

    assert f"published to user:{ada.pk}" in told
    assert "is there, as the row says now" in told
    assert f"this feed follows user:{ada.pk} since" in told
    assert f"user:{ada.pk} brought it" in told
    assert "it is in the feed: entry 1" in told
    assert told.endswith(f"is in timeline:{grace.pk}\n")


def test_recipients_and_groups_with_their_marks(article: Article, grace: User) -> None:
    told = explain(name(article), "--feed", f"notification:{grace.pk}")

    assert "its `to` names this feed" in told
    assert "group 1, 'publish_" in told
    assert "not seen, not read" in told


def test_nothing_brings_it(article: Article, ada: User) -> None:
    told = explain(name(article), "--feed", f"timeline:{ada.pk}")
    assert "nothing brings it here" in told
    assert "is not in timeline" in told


def test_taken_off_one_feed(article: Article, ada: User, grace: User) -> None:
    get_client().feed("timeline", grace.pk).remove_activity(foreign_id=name(article))
    assert "it was taken off this feed alone" in explain(name(article), "--feed", f"timeline:{grace.pk}")


def test_a_condition_that_is_false(article: Article, ada: User) -> None:
    with activities_paused():
        Article.objects.update(is_public=False)
    assert "it does not publish: is_public is false" in explain(name(article), "--feed", f"user:{ada.pk}")


def test_a_change_that_is_parked(article: Article, ada: User) -> None:
    OutboxEntry.objects.create(
        model_label="testapp.Article",
        object_key=str(article.pk),
        parked_at="2026-01-01T00:00:00Z",
        due_at=never(),
        attempts=3,
        reason="the API said no",
    )
    told = explain(name(article), "--feed", f"user:{ada.pk}")
    assert "a change is parked after 3 failures: the API said no" in told


def test_what_the_api_lost_or_has_otherwise(article: Article, ada: User) -> None:
    with activities_paused():
        Article.objects.update(title="b")
    assert "not as the row says now: run stream_repair" in explain(name(article), "--feed", f"user:{ada.pk}")
    get_client().feed("user", ada.pk).remove_activity(foreign_id=name(article))
    assert "the API has no activity" in explain(name(article), "--feed", f"user:{ada.pk}")


def test_rows_that_are_not_there_or_not_tracked(article: Article, ada: User) -> None:
    assert "the table has no such row" in explain("testapp.Article:987", "--feed", f"user:{ada.pk}")
    plain = Plain.objects.create(title="p")
    assert "is not tracked as activities" in explain(f"testapp.Plain:{plain.pk}", "--feed", f"user:{ada.pk}")


def test_all_of_a_feed_with_the_reasons(article: Article, ada: User, grace: User) -> None:
    told = explain("--feed", f"notification:{grace.pk}")
    assert f"auth.User:{ada.pk} publish {name(article)}" in told
    assert "it was put on this feed itself" in told
    assert "1 activities shown" in told


@pytest.mark.parametrize(
    "args", [["x", "--feed", "user:1"], ["testapp.Article:x", "--feed", "user:1"], ["--feed", "u"]]
)
def test_what_names_nothing_is_refused(args: Any) -> None:
    with pytest.raises(CommandError) as ended:
        explain(*args)
    assert ended.value.returncode == 2
