"""What buttons and the writing half of the JSON API cost, pinned at two sizes: every address that changes
something is here, or the test fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_stream import feeds
from django_stream.api.urls import urlpatterns as api_urls
from django_stream.notifications.models import DigestSubscription, Dismissal, Preference, Told
from django_stream.urls import urlpatterns as button_urls
from tests.db.feeds.conftest import people
from tests.db.site.test_query_counts import ada, grow
from tests.testapp.models import Cheer, Moment, Subscription, Whisper

__all__ = ["ada", "people"]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.db.site.urls"),
    pytest.mark.usefixtures("people"),
]

DISMISS_ALL = "/stream/notifications/dismiss/all/"
JSON = {"Accept": "application/json"}
Act = tuple[str, Callable[[], Any]]

COSTS = {
    "button: follow": 11,
    "button: follow again": 9,
    "button: unfollow by stop": 10,
    "button: follow-all": 11,
    "button: unfollow": 10,
    "button: mark some": 23,
    "button: mark all": 24,
    "button: mark unread, as JSON": 30,
    "button: dismiss": 22,
    "button: dismiss-all": 20,
    "json: follow": 7,
    "json: follow, ended": 8,
    "json: feed, marked": 13,
    "json: notifications, marked": 13,
    "json: notification, dismissed": 19,
    "json: notifications, dismissed": 19,
    "json: notification-preferences": 24,
    "json: notification-preferences again": 18,
    "json: reactions": 9,
    "json: reactions again": 9,
    "json: reactions of any row": 11,
    "json: reaction, taken back": 4,
    "json: reactions, taken back": 4,
    "json: user-token": 0,
}
READING_ALONE = {"button: notification-count", "json: notification-count"}


LOCKING = ("mark", "dismiss")


def _locks(name: str) -> int:
    """PostgreSQL is asked for the lock of the feed, which SQLite has by writing."""
    return connection.vendor != "sqlite" and any(word in name for word in LOCKING)


def entry(user: User) -> str:
    """The id of the newest notification; to read it brings the groups up to date, too."""
    return str(feeds.notifications(user).page(limit=100)[0]["id"])


def pressed(user: User) -> Iterator[Act]:
    client = Client()
    client.force_login(user)
    other = User.objects.create(username=f"b{User.objects.count()}")
    person = f"auth.User/{other.pk}/"

    def press(address: str, **values: Any) -> Callable[[], Any]:
        return lambda: client.post(f"/stream/{address}", values)

    yield "follow", press(f"follow/{person}")
    yield "follow again", press(f"follow/{person}")
    yield "unfollow by stop", press(f"follow/{person}", stop="1")
    yield "follow-all", press(f"follow/{person}all/")
    yield "unfollow", press(f"unfollow/{person}")
    yield "mark some", press("notifications/mark/", mark_read=[entry(user)])
    yield "mark all", press("notifications/mark/", mark_seen="true", mark_read="true")
    unread = {"mark_unread": [entry(user)]}
    yield "mark unread, as JSON", lambda: client.post("/stream/notifications/mark/", unread, headers=JSON)
    yield "dismiss", press("notifications/dismiss/", notification=entry(user))


def called(user: User, newest: Moment) -> Iterator[Act]:
    api = APIClient()
    api.force_authenticate(user)
    person = f"/feeds/users/{User.objects.create(username=f'a{User.objects.count()}').pk}/follow/"
    mine = "/feeds/me/notifications/"
    whispers, cheers = (
        f"/feeds/reactions/{kind}/testapp.Moment/{newest.pk}/" for kind in ("whisper", "cheer")
    )
    verbs = {"verbs": {verb: {"in_feed": True, "by_email": False} for verb in "ab"}, "digest": "daily"}

    def call(method: str, address: str, body: Any = None) -> Callable[[], Any]:
        return lambda: getattr(api, method)(address, body, format="json")

    yield "follow", call("post", person)
    yield "follow, ended", call("delete", person)
    yield "feed, marked", call("post", "/feeds/notification/", {"mark_read": [entry(user)]})
    yield "notifications, marked", call("post", mine, {"mark_seen": True})
    yield "notification, dismissed", call("delete", f"{mine}{entry(user)}/")
    yield "notification-preferences", call("patch", f"{mine}preferences/", verbs)
    yield "notification-preferences again", call("patch", f"{mine}preferences/", verbs)
    yield "reactions", call("post", whispers, {"secret": True})
    yield "reactions again", call("post", whispers, {"secret": False})
    yield "reactions of any row", call("post", cheers)
    one = Whisper.objects.filter(user=user).order_by("pk").last()
    assert one is not None
    yield "reaction, taken back", call("delete", f"{whispers}{one.pk}/")
    yield "reactions, taken back", call("delete", cheers)
    yield "user-token", call("post", "/feeds/me/token/")
    yield "notifications, dismissed", call("delete", mine)


def cost(act: Callable[[], Any], name: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = act()
    assert answer.status_code < 400, (name, answer.content)
    return len(queries)


def test_each_change_costs_the_same_however_much_there_is(ada: User) -> None:
    costs = []
    for count in (12, 24):
        newest = grow(ada, count)
        # The first time makes rows that the next one changes.
        for model in (Dismissal, Preference, DigestSubscription, Told):
            model._default_manager.all().delete()
        found = {f"button: {name}": cost(act, name) for name, act in pressed(ada)}
        found |= {f"json: {name}": cost(act, name) for name, act in called(ada, newest)}
        grow(ada, 4)
        entry(ada)
        client = Client()
        client.force_login(ada)
        found["button: dismiss-all"] = cost(partial(client.post, DISMISS_ALL), "dismiss-all")
        costs.append(found)
        # What was done is done: these are no refusals that cost little.
        assert Whisper.objects.filter(user=ada).count() == len(costs), "one of two was taken back"
        assert not Cheer.objects.filter(user=ada).exists()
        assert not Subscription.objects.filter(reader=ada, writer__username__regex="^[ab]").exists()
        assert not feeds.notifications(ada).page()
    assert costs[0] == costs[1], "the cost grows with what there is"
    assert costs[1] == {name: number + _locks(name) for name, number in COSTS.items()}


def test_every_address_that_changes_something_is_in_the_table() -> None:
    named = {f"button: {one.name}" for one in button_urls} | {f"json: {one.name}" for one in api_urls}
    pinned = {name.partition(",")[0] for name in COSTS} | {"button: mark"}
    assert named - READING_ALONE <= pinned
