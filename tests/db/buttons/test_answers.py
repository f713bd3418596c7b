"""Buttons post, ask for somebody who is signed in, and lead back to pages of the site alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from django_stream.client.exceptions import ConnectionFailed
from django_stream.feeds.paging import FeedReader
from django_stream.urls import urlpatterns
from tests.testapp.models import Subscription

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.buttons.urls")]

URLS = "tests.db.buttons.urls"
JSON = {"Accept": "application/json"}
MARK = "/stream/notifications/mark/"
HOSTILE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    r"\\evil.example",
    r"/\evil.example",
    "/\t/evil.example",
    "http:evil.example",
    "http:///evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "\x08//evil.example",
    "\u3000//evil.example",
    "http://[::1",
    "ftp://testserver/",
    "/" + "x" * 5000,
    "",
]
WAYS = [
    (place, way)
    for place in HOSTILE
    for way in ("form", "address", "referer", "signed out")
    if way != "referer" or place.isprintable()  # no header holds the others
]
BUTTONS = [
    reverse(f"django_stream:{one.name}", URLS, args=["auth.User", "1"][: one.pattern.regex.groups])
    for one in urlpatterns
    if one.name != "notification-count"
]


def test_it_leads_back_to_where_the_form_says(browser: Client) -> None:
    answer = browser.post(MARK, {"mark_read": "true", "next": "/news/?page=2#top"})
    assert (answer.status_code, answer["Location"]) == (302, "/news/?page=2#top")

    assert browser.post(f"{MARK}?next=/inbox/", {"mark_read": "true"})["Location"] == "/inbox/"
    whole = browser.post(MARK, {"mark_read": "true", "next": "http://testserver/whole/"})
    assert whole["Location"] == "http://testserver/whole/"


def test_without_next_it_leads_back_to_the_page_with_the_button(browser: Client) -> None:
    came_from = {"Referer": "http://testserver/inbox/?page=3"}
    assert browser.post(MARK, {"mark_read": "true"}, headers=came_from)["Location"] == came_from["Referer"]
    assert browser.post(MARK, {"mark_read": "true"})["Location"] == "/"


@pytest.mark.parametrize(("place", "way"), WAYS)
def test_a_hostile_place_is_not_led_to(browser: Client, place: str, way: str) -> None:
    data, headers, address = {"mark_read": "true"}, {}, MARK
    if way == "referer":
        headers = {"Referer": place}
    elif way == "address":
        address = f"{MARK}?{urlencode({'next': place})}"
    else:
        data["next"] = place
    if way == "signed out":
        browser.logout()

    answer = browser.post(address, data, headers=headers)

    expected = "/accounts/login/?next=/" if way == "signed out" else "/"
    assert (answer.status_code, answer["Location"]) == (302, expected)


@pytest.mark.parametrize("place", ["/a\r\nSet-Cookie: x=1", "/a\nLocation: https://evil.example", "/ü?q=ß"])
def test_a_place_stays_one_header(browser: Client, place: str) -> None:
    answer = browser.post(MARK, {"mark_read": "true", "next": place})

    assert "\n" not in answer["Location"]
    assert answer["Location"].startswith("/")
    assert url_has_allowed_host_and_scheme(answer["Location"], {"testserver"})
    assert "x" not in answer.cookies


def test_a_page_over_https_is_not_left_for_http(browser: Client) -> None:
    answer = browser.post(MARK, {"mark_read": "true", "next": "http://testserver/x"}, secure=True)
    assert answer["Location"] == "/"


@pytest.mark.parametrize("address", BUTTONS)
def test_nothing_happens_without_token_post_and_user(grace: User, address: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(grace)
    assert strict.post(address, {"mark_read": "true"}).status_code == 403
    assert strict.post(address, {"mark_read": "true"}, headers=JSON).status_code == 403
    assert strict.get(address).status_code == 405

    visitor = Client()
    assert visitor.post(address, {"next": "/here/"})["Location"] == "/accounts/login/?next=/here/"
    answer = visitor.post(address, headers=JSON)
    assert (answer.status_code, answer.json()) == (401, {"detail": "sign in first"})
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json, text/plain, */*", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("*/*", False),
        ("", False),
        ("application/json;q=0.1, text/html", False),
    ],
)
def test_json_is_for_those_who_ask(browser: Client, accept: str, is_json: bool) -> None:
    answer = browser.post(MARK, {"mark_read": "true"}, headers={"Accept": accept} if accept else {})
    assert (answer.status_code == 200, answer["Content-Type"] == "application/json") == (is_json, is_json)
    assert "max-age=0" in answer["Cache-Control"]


def test_a_backend_that_does_not_answer_is_told_of(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionFailed("nobody there")

    monkeypatch.setattr(FeedReader, "mark", fail)

    assert browser.post(MARK, {"mark_read": "true"}).status_code == 503
    assert browser.post(MARK, {"mark_read": "true"}, headers=JSON).json()["detail"]
