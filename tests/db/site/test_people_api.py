"""The site's own JSON for following, counts and tokens: for who is signed in, by rows of the site."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_save
from rest_framework.test import APIClient

from django_stream import feeds
from django_stream.activities.follow_rows import state_of
from django_stream.client.exceptions import ConnectionFailed
from django_stream.conf import stream_settings
from django_stream.feeds import feed_manager
from django_stream.publishing.publisher import publishers_of
from django_stream.tracking import drain, register_blocks, register_visibility
from tests.db.feeds.conftest import people
from tests.testapp.models import Article, Block, Subscription

__all__ = ["people"]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]


@pytest.fixture
def api(grace: User, settings: Any) -> APIClient:
    settings.STREAM_FOLLOW_MODEL = "testapp.Subscription"
    client = APIClient()
    client.force_login(grace)
    return client


def address(person: Any) -> str:
    return f"/feeds/users/{getattr(person, 'pk', person)}/follow/"


def test_following_makes_one_row_and_unfollowing_takes_it_away(
    api: APIClient, ada: User, grace: User
) -> None:
    for _ in range(2):
        assert api.post(address(ada)).json() == {"following": True, "requested": False}
        drain()
    assert list(Subscription.objects.values_list("reader", "writer")) == [(grace.pk, ada.pk)]
    assert api.get(address(ada)).json() == {"following": True}
    assert feeds.is_following(grace, ada)

    for _ in range(2):
        assert api.delete(address(ada)).json() == {"following": False, "requested": False}
        drain()
    assert api.get(address(ada)).json() == {"following": False}
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("key", ["0", "999999", "x", "9" * 40, "%00"])
def test_who_is_not_there_is_404(api: APIClient, key: str) -> None:
    for method in (api.get, api.post):
        assert method(address(key)).status_code == 404
    # Like one who is not followed, or it would tell who is hidden.
    assert api.delete(address(key)).json() == {"following": False, "requested": False}


def test_who_is_hidden_is_404_and_can_be_unfollowed(
    people: None, api: APIClient, ada: User, grace: User
) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    register_visibility(User, lambda viewer, users: users.exclude(username="ada"))
    assert (api.get(address(ada)).status_code, api.post(address(ada)).status_code) == (404, 404)
    assert api.delete(address(ada)).status_code == 200
    assert not Subscription.objects.exists()


def test_who_blocks_is_not_followed(people: None, api: APIClient, ada: User, grace: User) -> None:
    Block.objects.create(by=ada, of=grace)
    assert api.post(address(ada)).status_code == 404
    assert not Subscription.objects.exists()


def test_nobody_follows_oneself_and_visitors_nobody(api: APIClient, ada: User, grace: User) -> None:
    assert api.post(address(grace)).status_code == 400
    ada.is_active = False
    ada.save()
    assert api.post(address(ada)).status_code == 404
    visitor = APIClient()
    for method, path in (
        ("post", address(ada)),
        ("get", "/feeds/me/notifications/count/"),
        ("post", "/feeds/me/token/"),
    ):
        assert getattr(visitor, method)(path).status_code == 403
    assert not Subscription.objects.exists()


def test_sessions_want_the_csrf_token(ada: User, grace: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(grace)
    for path in (address(ada), "/feeds/me/token/"):
        assert client.post(path).status_code == 403
    assert client.delete(address(ada)).status_code == 403


def test_where_several_models_follow_one_is_named(api: APIClient, ada: User, settings: Any) -> None:
    for wrong in (None, "testapp.Alert"):
        settings.STREAM_FOLLOW_MODEL = wrong
        with pytest.raises(
            ImproperlyConfigured, match=r"STREAM_FOLLOW_MODEL; there is: .*testapp.Subscription"
        ):
            api.post(address(ada))


def test_counts_are_of_what_can_be_shown(people: None, api: APIClient, ada: User, grace: User) -> None:
    Article.objects.create(author=ada, title="x").mentioned.add(grace)
    drain()
    count = "/feeds/me/notifications/count/"
    assert api.get(count).json() == {"unseen": 1, "unread": 1}
    Block.objects.create(by=grace, of=ada)
    assert api.get(count).json() == {"unseen": 0, "unread": 0}
    assert Article.objects.exists()


def test_a_token_is_of_the_user_and_expires(api: APIClient, grace: User) -> None:
    body = api.post("/feeds/me/token/").json()

    claims = jwt.decode(body["token"], stream_settings.secret, algorithms=["HS256"])
    assert body["user_id"] == claims["user_id"] == str(grace.pk)
    assert 0 < claims["exp"] - claims.get("iat", claims["exp"] - 1) <= 3600
    assert claims.keys() <= {"user_id", "exp", "iat"}, "and opens nothing more"


def test_a_backend_that_is_down_is_503(api: APIClient, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionFailed("down")

    monkeypatch.setattr(type(feed_manager.client.feed("user", "1")), "following", broken)
    monkeypatch.setattr(type(feed_manager.client.feed("user", "1")), "get", broken)
    for path in (address(ada), "/feeds/me/notifications/count/"):
        assert api.get(path).status_code == 503


@pytest.mark.parametrize(("row", "kept"), [("follows", False), ("asks", False), ("blocks", True)])
def test_only_what_follows_or_asks_to_is_taken_back(
    row: str, kept: bool, api: APIClient, ada: User, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who is followed may keep a block in the same table."""
    (publisher,) = publishers_of(Subscription)
    declared = replace(
        publisher.declaration,
        should_publish=lambda _: row == "follows",
        requested=lambda _: row == "asks",
    )
    monkeypatch.setattr(publisher, "declaration", declared)
    Subscription.objects.create(reader=grace, writer=ada)
    assert api.delete(address(ada)).status_code == 200
    assert Subscription.objects.exists() == kept
    assert api.post(address(ada)).json() == {"following": row == "follows", "requested": row != "follows"}
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ("follows", (True, False)),
        ("asks", (False, True)),
        ("blocks", (False, False)),
        ("fails", (False, False)),
        ("none", (False, False)),
    ],
)
@pytest.mark.usefixtures("api")
def test_rows_say_whether_somebody_follows_or_asks_to(
    row: str, state: tuple[bool, bool], ada: User, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follows(_: Subscription) -> bool:
        if row == "fails":
            raise RuntimeError(row)
        return row == "follows"

    (publisher,) = publishers_of(Subscription)
    declared = replace(publisher.declaration, should_publish=follows, requested=lambda _: row == "asks")
    monkeypatch.setattr(publisher, "declaration", declared)
    if row != "none":
        Subscription.objects.create(reader=grace, writer=ada)
    assert state_of(grace, ada) == state


def test_a_table_of_blocks_is_not_followed_by(
    people: None, api: APIClient, ada: User, grace: User, settings: Any
) -> None:
    register_blocks(Subscription, by="reader", of="writer", unfollow=True)
    try:
        block = Subscription.objects.create(reader=ada, writer=grace)
        with pytest.raises(ImproperlyConfigured, match="STREAM_FOLLOW_MODEL"):
            api.delete(address(mia := User.objects.create(username="mia")))
        with pytest.raises(ImproperlyConfigured, match="STREAM_FOLLOW_MODEL"):
            api.post(address(mia))
        assert list(Subscription.objects.all()) == [block]
    finally:
        post_save.disconnect(
            sender=Subscription, dispatch_uid="django_stream.blocks.testapp.Subscription.reader.writer"
        )
