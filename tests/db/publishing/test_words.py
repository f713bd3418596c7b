"""Mistakes are answered at the first place where they can be known, with the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.template import Context, Template

from django_stream import feeds, tracking
from django_stream.models import OutboxEntry
from django_stream.publishing.parking import parked, retry_parked
from django_stream.publishing.publisher import publishers_of
from django_stream.testing import drain_outbox
from django_stream.tracking import activities_paused, drain, republish
from tests.testapp.models import Article, Opinion, Photo, Plain

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize(
    "given",
    [
        lambda rows: rows[0],
        lambda rows: [rows[0]],
        lambda rows: (row for row in rows[:1]),
        lambda rows: Article.objects.filter(pk=rows[0].pk),
        lambda rows: Article.objects,
    ],
    ids=["row", "list", "generator", "queryset", "manager"],
)
def test_whatever_names_rows_is_republished(given: Any, ada: User, feed_of: FeedOf) -> None:
    with activities_paused():
        rows = [Article.objects.create(author=ada, title="One")]

    assert republish(given(rows)) == 1
    drain_outbox()
    assert [entry["title"] for entry in feed_of("user", ada)] == ["One"]


def test_rows_of_several_models_and_of_none_that_is_tracked(ada: User) -> None:
    with activities_paused():
        rows = [Article.objects.create(author=ada), Photo.objects.create(owner=ada), Plain.objects.create()]
    assert republish(rows) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Article, "Article.objects.all()"),
        (7, "a queryset, a row or a list"),
        ([7], "give a queryset"),
        ("testapp.Article", "takes rows"),
    ],
)
def test_what_names_no_rows_is_refused_with_what_to_write(given: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said.replace("(", r"\(").replace(")", r"\)")):
        republish(given)
    with pytest.raises(ValueError, match="save it"):
        republish(Article())


@pytest.mark.parametrize(
    "use",
    [
        feeds.timeline,
        feeds.profile,
        feeds.notifications,
        lambda row: tracking.record(actor=row, verb="look"),
        lambda row: tracking.record(actor=User.objects.create_user("eva"), verb="look", object=row),
        lambda row: feeds.feed_manager.follow_user(row, 1),
    ],
)
def test_a_row_that_was_never_saved_is_refused_although_it_has_a_key(use: Any) -> None:
    with pytest.raises(ValueError, match=r"was not saved.*save\(\)"):
        use(Photo(id=uuid.uuid4()))


@pytest.mark.tables
def test_saving_before_migrate_says_what_to_run(ada: User, take_away: Callable[[Any], None]) -> None:
    take_away(OutboxEntry)
    with pytest.raises(ImproperlyConfigured, match="run `python manage.py"), transaction.atomic():
        Article.objects.create(author=ada)


def test_a_forgotten_installed_app_is_named() -> None:
    code = (
        "import django; from django.conf import settings;"
        "settings.configure(INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes']);"
        "django.setup(); import {}"
    )
    for module in (
        "django_stream.models",
        "django_stream.activities.recorded",
        "django_stream.feeds.readers",
    ):
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        done = subprocess.run(
            [sys.executable, "-c", code.format(module)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert "add 'django_stream' to INSTALLED_APPS" in done.stderr, done.stderr


def _declared(model: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    (publisher,) = (one for one in publishers_of(model) if one.kind in ("", "reaction"))
    changed = replace(publisher.declaration, **options)
    monkeypatch.setattr(publisher, "declaration", changed)
    if model is Article:
        monkeypatch.setattr(Article, "activity_declaration", changed)


BAD = "news:all"


@pytest.mark.parametrize("given", [lambda row: [BAD, "topic:7"], [BAD, "topic:7"]])
@pytest.mark.parametrize("number", [1, 3])
def test_a_post_goes_out_although_a_target_cannot_get_it(
    given: Any, number: int, ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    _declared(Article, monkeypatch, to=given)
    rows = [Article.objects.create(author=ada, title=str(index)) for index in range(number)]
    drain()

    assert len(feed_of("user", ada)) == len(feed_of("topic", 7)) == number
    reasons = {entry.reason for entry in parked()}
    remedy = "configure it, then retry parked changes"
    assert reasons == {f"published, but not to news:all: the API has no such feed group; {remedy}"}

    rows[0].author = User.objects.create_user("eva")  # moves, although a target is still missing
    rows[0].save()
    drain()
    assert len(feed_of("user", ada)) == number - 1

    settings.STREAM_SERVER_FEED_GROUPS = {**settings.STREAM_SERVER_FEED_GROUPS, "news": {"kind": "flat"}}
    retry_parked()
    drain()
    assert len(feed_of("news", "all")) == number
    assert not parked().exists()

    Article.objects.all().delete()
    drain()
    assert feed_of("news", "all") == feed_of("user", ada) == feed_of("topic", 7) == []


def test_neither_does_a_recipient_that_is_none_keep_a_post_back(
    ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    _declared(Article, monkeypatch, to=lambda row: ["news all", "topic:7", User(username="x")])
    Article.objects.create(author=ada)
    drain()

    assert len(feed_of("user", ada)) == len(feed_of("topic", 7)) == 1
    (entry,) = parked()
    assert "published, but not to 'news all'" in entry.reason
    assert "has no primary key" in entry.reason


def test_a_reaction_reaches_the_targets_that_are_there(
    ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    _declared(Opinion, monkeypatch, to=[BAD, "topic:7"])
    article = Article.objects.create(author=ada)
    Opinion.objects.create(user=ada, article=article, text="Yes")
    drain()

    assert len(feed_of("topic", 7)) == 1
    assert parked().exists()
    assert all(entry.reason.startswith("published, but not to news:all") for entry in parked())


@pytest.mark.parametrize("actor", [lambda row: row.author.username, "author.username", lambda row: row.title])
def test_an_actor_that_is_no_row_and_no_key_is_refused(
    actor: Any, ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    _declared(Article, monkeypatch, actor=actor)
    Article.objects.create(author=ada, title="Hello")
    drain()

    assert feed_of("user", "ada") == []
    (entry,) = parked()
    assert "no key of a user" in entry.reason
    assert "actor = lambda row: row.author" in entry.reason


@pytest.mark.parametrize(
    ("option", "near"),
    [("mark_sen", "mark_seen"), ("rankng", "ranking"), ("cursr", "cursor"), ("x", "Valid names")],
)
def test_an_unknown_option_of_a_page_is_refused_with_the_nearest(option: str, near: str, ada: User) -> None:
    for read in (feeds.timeline(ada).page, async_to_sync(feeds.timeline(ada).apage)):
        with pytest.raises(TypeError, match=rf"no option '{option}'.*{near}"):
            read(**{option: True})


@pytest.mark.urls("tests.db.site.urls")
def test_so_are_values_of_the_tag_and_parameters_of_the_view(ada: User, client: Any) -> None:
    with pytest.raises(ValueError, match="Did you mean 'silent'"):
        Template("{% load django_stream %}{% render_activity a missing_data='slient' %}").render(Context())

    client.force_login(ada)
    answer = client.get("/feeds/timeline/?limt=5")
    assert (answer.status_code, answer.json()) == (400, {"limt": ["Unknown. Did you mean 'limit'?"]})
    assert client.get("/feeds/timeline/?_=123&lang=en").status_code == 200
    body = {"mark_seen": True, "mark_raed": True}
    answer = client.post("/feeds/notification/", body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {"mark_raed": ["Unknown. Did you mean 'mark_read'?"]})
