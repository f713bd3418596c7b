"""Buttons that follow: by the site's own rows where it has such, and by the API alone where it has none."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.template import engines
from django.test import Client, RequestFactory

from django_stream import feeds
from django_stream.feeds import feed_manager
from django_stream.publishing.publisher import publishers_of
from django_stream.tracking import drain, register_visibility, show
from tests.db.feeds.conftest import people
from tests.testapp.models import Block, Subscription, Tag

__all__ = ["people"]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.buttons.urls")]
JSON = {"Accept": "application/json"}


def address(row: Any, verb: str = "follow", *, more: str = "") -> str:
    return f"/stream/{verb}/{row._meta.label}/{row.pk}/{more}"


@pytest.fixture
def club(settings: Any) -> Group:
    settings.STREAM_FOLLOWABLE = ("auth.Group",)
    show(Group)
    return Group.objects.create(name="chess")


def followed(user: User) -> set[str]:
    drain()
    timeline = feed_manager.get_feed("timeline", user)
    return {str(one["target_id"]) for one in timeline.following()["results"]}


def test_a_user_is_followed_by_one_row_and_unfollowed(browser: Client, ada: User, grace: User) -> None:
    for _ in range(2):
        assert browser.post(address(ada)).status_code == 302
    assert list(Subscription.objects.values_list("reader", "writer")) == [(grace.pk, ada.pk)]
    assert followed(grace) == {f"user:{ada.pk}"}
    for _ in range(2):
        answer = browser.post(address(ada, "unfollow"), headers=JSON)
        assert answer.json() == {"following": False, "requested": False}
    assert not Subscription.objects.exists()
    assert followed(grace) == set()

    browser.post(address(ada))
    browser.post(address(ada), {"stop": "1"})
    assert followed(grace) == set()


def test_rows_without_a_follow_model_are_followed_all_the_same(
    browser: Client, grace: User, club: Group
) -> None:
    for _ in range(2):
        answer = browser.post(address(club), headers=JSON)
        assert answer.json() == {"following": True, "requested": False}
    assert followed(grace) == {f"user:auth-group-{club.pk}"}
    browser.post(address(club), {"stop": "1"})
    assert followed(grace) == set()


def test_what_is_said_of_a_row_is_followed_where_there_are_feeds_of_that(
    browser: Client, grace: User, ada: User, club: Group, feed_groups: Any
) -> None:
    name = f"auth-group-{club.pk}"
    feed_groups.STREAM_CONTEXT_FEEDS = ("object", "target", "model")
    browser.post(address(club, more="all/"))
    assert followed(grace) == {f"{slug}:{name}" for slug in ("user", "object", "target")}
    browser.post(address(ada, more="all/"))
    assert followed(grace) >= {f"{slug}:{ada.pk}" for slug in ("user", "object", "target")}
    assert Subscription.objects.count() == 1

    for row in (club, ada):
        browser.post(address(row, "unfollow"))
    assert followed(grace) == set()
    assert not Subscription.objects.exists()


def test_without_such_feeds_only_the_row_is_followed(browser: Client, grace: User, club: Group) -> None:
    browser.post(address(club, more="all/"))
    assert followed(grace) == {f"user:auth-group-{club.pk}"}


@pytest.mark.parametrize(
    "place",
    [
        "auth.Group/1",  # not named by the settings
        "auth.Permission/1",
        "auth.Nobody/1",
        "nothing/1",
        "a.b.c/1",
    ],
)
def test_what_is_not_to_be_followed_is_404(browser: Client, ada: User, place: str) -> None:
    for verb in ("follow", "unfollow"):
        assert browser.post(f"/stream/{verb}/{place}/").status_code == 404
        answer = browser.post(f"/stream/{verb}/{place}/", headers=JSON)
        assert (answer.status_code, list(answer.json())) == (404, ["detail"])
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("key", ["999999", "x", "9" * 40, "%00", "_b32_aa", "hidden"])
def test_no_button_tells_whether_somebody_is_hidden(
    people: None, browser: Client, ada: User, key: str
) -> None:
    register_visibility(User, lambda viewer, users: users.exclude(username="ada"))
    place = f"auth.User/{ada.pk if key == 'hidden' else key}/"
    assert browser.post(f"/stream/follow/{place}").status_code == 404
    for verb, form in (("unfollow", {}), ("follow", {"stop": "1"})):
        assert browser.post(f"/stream/{verb}/{place}", form).status_code == 302
        answer = browser.post(f"/stream/{verb}/{place}", form, headers=JSON)
        assert (answer.status_code, answer.json()) == (200, {"following": False, "requested": False})


@pytest.mark.parametrize("key", ["a/b", "/", "a b", "é:ü", "?#", "..", "_b32_x", "1.5", "plain"])
def test_a_key_may_be_any_text(browser: Client, ada: User, grace: User, settings: Any, key: str) -> None:
    settings.STREAM_FOLLOWABLE = ("testapp.Tag",)
    tag = Tag.objects.create(name=key, user=ada)
    request = RequestFactory().get("/")
    request.user = grace
    page = engines["django"].from_string("{% load django_stream %}{% follow_button tag %}")
    (action,) = re.findall(r'action="([^"]+)"', html := page.render({"tag": tag}, request))
    assert "stop" not in html

    assert browser.post(unescape(action), headers=JSON).json()["following"]
    drain()
    assert feeds.is_following(grace, tag)
    assert 'name="stop"' in page.render({"tag": tag}, request)


def test_who_is_hidden_or_inactive_is_404_and_can_be_unfollowed(
    people: None, browser: Client, ada: User, grace: User
) -> None:
    browser.post(address(ada))
    register_visibility(User, lambda viewer, users: users.exclude(username="ada"))
    assert browser.post(address(ada)).status_code == 404
    assert browser.post(address(ada, "unfollow")).status_code == 302
    assert not Subscription.objects.exists()

    joan = User.objects.create(username="joan", is_active=False)
    assert browser.post(address(joan)).status_code == 404
    assert not Subscription.objects.exists()


def test_who_blocks_is_not_followed(people: None, browser: Client, ada: User, grace: User) -> None:
    Block.objects.create(by=ada, of=grace)
    assert browser.post(address(ada)).status_code == 404
    assert not Subscription.objects.exists()


def test_the_example_of_the_docs_is_a_page(browser: Client, grace: User, club: Group) -> None:
    page = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text()
    *_, source = re.findall(r"```html\n(.*?)```", page, re.DOTALL)
    request = RequestFactory().get("/")
    request.user = grace

    html = engines["django"].from_string(source).render({"club": club, "entry": {"id": "7"}}, request)

    assert f'action="{address(club)}"' in html
    assert 'action="/stream/notifications/mark/"' in html
    assert 'name="mark_read" value="7"' in html


def test_nobody_follows_oneself(browser: Client, grace: User) -> None:
    assert browser.post(address(grace)).status_code == 400
    assert not Subscription.objects.exists()


def test_the_tag_posts_here_and_back_again(browser: Client, ada: User, grace: User) -> None:
    request = RequestFactory().get("/people/?page=2")
    request.user = grace
    page = engines["django"].from_string("{% load django_stream %}{% follow_button ada %}")

    assert f'action="{address(ada)}"' in (html := page.render({"ada": ada}, request))
    assert 'value="/people/?page=2"' in html
    assert "stop" not in html
    browser.post(address(ada))
    # The rows say it at once, and the feeds when a worker has told them.
    assert 'name="stop"' in page.render({"ada": ada}, request)
    drain()
    assert feeds.is_following(grace, ada)
    browser.post(address(ada), {"stop": "1"})
    assert "stop" not in page.render({"ada": ada}, request)


def test_the_tag_takes_back_a_request_and_knows_a_block(
    browser: Client, ada: User, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = RequestFactory().get("/")
    request.user = grace
    page = engines["django"].from_string("{% load django_stream %}{% follow_button ada %}")
    state = "asked"
    (publisher,) = publishers_of(Subscription)
    declared = replace(
        publisher.declaration,
        should_publish=lambda _: state == "in",
        requested=lambda _: state == "asked",
    )
    monkeypatch.setattr(publisher, "declaration", declared)
    Subscription.objects.create(reader=grace, writer=ada)
    assert "Take back the request" in page.render({"ada": ada}, request)
    state = "in"
    assert "Unfollow ada" in page.render({"ada": ada}, request)
    state = "blocked"
    assert 'aria-label="Follow ada"' in page.render({"ada": ada}, request)
