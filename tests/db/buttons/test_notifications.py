"""Buttons that mark and dismiss one's own notifications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_stream import feeds
from django_stream.tracking import drain, record

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.buttons.urls")]

JSON = {"Accept": "application/json"}
PLACE = "/stream/notifications/"


@pytest.fixture
def told(ada: User, grace: User) -> Callable[[], list[Any]]:
    for verb in ("wrote", "asked", "waved"):
        record(actor=ada, verb=verb, to=grace, to_only=True)
    drain()
    return lambda: [*feeds.notifications(grace).page()]


def test_entries_are_marked_and_counted(browser: Client, told: Callable[[], list[Any]]) -> None:
    first, second, third = (one["id"] for one in told())
    answer = browser.post(f"{PLACE}mark/", {"mark_read": first, "mark_seen": [first, third]}, headers=JSON)

    assert answer.json() == {"unseen": 1, "unread": 2}
    marks = [(one["is_seen"], one["is_read"]) for one in told()]
    assert marks == [(True, True), (False, False), (True, False)]
    assert browser.get(f"{PLACE}count/").json() == {"unseen": 1, "unread": 2}

    assert browser.post(f"{PLACE}mark/", {"mark_unread": first}, headers=JSON).json()["unread"] == 3
    browser.post(f"{PLACE}mark/", {"mark_read": [first, second], "mark_seen": "true"})
    assert browser.get(f"{PLACE}count/").json() == {"unseen": 0, "unread": 1}
    browser.post(f"{PLACE}mark/", {"mark_read": "true"})
    assert browser.get(f"{PLACE}count/").json()["unread"] == 0
    browser.post(f"{PLACE}mark/", {"mark_unread": "true"})
    assert browser.get(f"{PLACE}count/").json()["unread"] == 3


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"mark_read": ""},
        {"mark_read": ["true", "x"]},
        {"mark_read": "a,b"},
        {"mark_read": "\0"},
        {"mark_read": "x" * 300},
        {"mark_read": [str(number) for number in range(101)]},
        {"read": "true"},
    ],
)
def test_wrong_marks_mark_nothing(browser: Client, told: Callable[[], list[Any]], data: Any) -> None:
    answer = browser.post(f"{PLACE}mark/", data, headers=JSON)
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    assert browser.post(f"{PLACE}mark/", data).status_code == 400
    assert browser.get(f"{PLACE}count/").json() == {"unseen": 3, "unread": 3}


def test_one_is_dismissed_and_then_all(browser: Client, told: Callable[[], list[Any]]) -> None:
    address, entry = f"{PLACE}dismiss/", told()[1]["id"]
    answer = browser.post(address, {"notification": entry}, headers=JSON)
    assert answer.json() == {"dismissed": True}
    assert entry not in [one["id"] for one in told()]
    assert len(told()) == 2
    # Pressed again, and for what never was.
    assert browser.post(address, {"notification": entry}).status_code == 302
    assert browser.post(address, {"notification": "x"}, headers=JSON).json() == {"dismissed": False}
    assert browser.post(address, {}).status_code == 400

    browser.post(f"{address}all/")
    assert told() == []


def test_those_of_others_are_left_alone(
    browser: Client, told: Callable[[], list[Any]], ada: User, grace: User
) -> None:
    entry = told()[0]["id"]
    other = Client()
    other.force_login(ada)
    other.post(f"{PLACE}mark/", {"mark_read": [entry], "mark_seen": "true"})
    other.post(f"{PLACE}dismiss/", {"notification": entry})
    other.post(f"{PLACE}dismiss/all/")

    assert len(told()) == 3
    assert browser.get(f"{PLACE}count/").json() == {"unseen": 3, "unread": 3}


def test_a_count_is_for_who_is_signed_in(db: None) -> None:
    assert Client().get(f"{PLACE}count/", headers=JSON).status_code == 401
    assert Client().get(f"{PLACE}count/").status_code == 302


def test_of_feeds_of_another_kind_the_count_says_that_nothing_is_known(
    browser: Client, settings: Any
) -> None:
    settings.STREAM_NOTIFICATION_FEED = "timeline"
    assert browser.get(f"{PLACE}count/").json() == {"unseen": None, "unread": None}
