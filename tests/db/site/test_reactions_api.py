"""Likes and comments by JSON: rows of the site, for who may see what they are about."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers
from rest_framework.test import APIClient

from django_stream.activities.checks.api_reactions import check_api_reactions
from django_stream.activities.reaction_rows import react, reactions_of_kind
from django_stream.api import ReactionsView, register_serializer
from django_stream.api import serializers as registered
from django_stream.tracking import drain
from tests.db.feeds.conftest import people
from tests.testapp.models import Article, Block, Moment, Mute, Opinion, Review, Vote, Whisper

__all__ = ["people"]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]


@pytest.fixture
def api(grace: User, settings: Any) -> APIClient:
    settings.STREAM_API_REACTIONS = ("whisper", "vote", "opinion", "like", "comment")
    client = APIClient()
    client.force_login(grace)
    return client


@pytest.fixture
def moment(ada: User) -> Moment:
    return Moment.objects.create(author=ada, text="x")


def address(row: Any, kind: str = "whisper", *more: Any) -> str:
    return "/feeds/reactions/" + "/".join(map(str, (kind, row._meta.label, row.pk, *more))) + "/"


def test_one_is_added_listed_and_deleted(
    api: APIClient, moment: Moment, grace: User, feed_of: Callable[..., Any], ada: User
) -> None:
    made = api.post(address(moment), {"secret": True}, format="json")
    assert (made.status_code, made.json()["data"]) == (201, {"secret": True})
    assert made.json()["user"] == {"type": "auth.User", "id": str(grace.pk), "text": "grace"}
    drain()
    assert api.get(address(moment)).json() == {"next": None, "results": [made.json()]}
    (activity,) = feed_of("user", ada, reactions={"counts": True})
    assert activity["reaction_counts"] == {"whisper": 1}

    assert api.delete(address(moment, "whisper", made.json()["id"])).status_code == 204
    assert api.delete(address(moment, "whisper", made.json()["id"])).status_code == 404
    drain()
    assert (Whisper.objects.count(), api.get(address(moment)).json()["results"]) == (0, [])


def test_a_kind_without_fields_is_switched_on_and_off(
    api: APIClient, ada: User, grace: User, settings: Any
) -> None:
    review = Review.objects.create(user=ada, product=product(ada))
    for status in (201, 200):
        assert api.post(address(review, "vote")).status_code == status
    assert list(Vote.objects.values_list("user", "review")) == [(grace.pk, review.pk)]
    for _ in range(2):
        assert api.delete(address(review, "vote")).status_code == 204
    assert not Vote.objects.exists()


def product(owner: User) -> Any:
    from tests.testapp.models import Product

    return Product.objects.create(owner=owner, title="x")


def test_only_the_kinds_that_the_settings_name_are_there(
    api: APIClient, moment: Moment, settings: Any
) -> None:
    settings.STREAM_API_REACTIONS = ()
    for method in (api.get, api.post, api.delete):
        assert method(address(moment)).status_code == 404
    settings.STREAM_API_REACTIONS = ("whisper",)
    for wrong in (
        address(moment, "whispers"),
        address(moment).replace("Moment", "Nothing"),
        address(moment).replace("testapp.Moment", "x"),
        address(moment).replace("testapp.Moment", "auth.User"),
        address(moment).replace(f"/{moment.pk}/", "/0/"),
        address(moment).replace(f"/{moment.pk}/", "/%00/"),
        address(moment).replace(f"/{moment.pk}/", f"/{'9' * 40}/"),
    ):
        for method in (api.get, api.post, api.delete):
            assert method(wrong).status_code == 404, wrong
    assert not Whisper.objects.exists()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"secret": "perhaps"}, "secret"),
        ({"secrets": True}, "secrets"),
        ({"user": 1}, "user"),
        ({"moment": 1}, "moment"),
        ({"id": 1}, "id"),
        (["secret"], "detail"),
        ({"secret": None}, "secret"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    body: Any, named: str, api: APIClient, moment: Moment
) -> None:
    answer = api.post(address(moment), body, format="json")
    assert (answer.status_code, [*answer.json()]) == (400, [named])
    assert not Whisper.objects.exists()


def test_the_nearest_name_is_told(api: APIClient, moment: Moment) -> None:
    answer = api.post(address(moment), {"secrets": True}, format="json")
    assert answer.json() == {"secrets": ["Unknown. Did you mean 'secret'?"]}
    assert api.get(address(moment), {"limits": 3}).json() == {"limits": ["Unknown. Did you mean 'limit'?"]}
    assert api.get(address(moment), {"cursor": "x"}).status_code == 400


def test_what_is_hidden_cannot_be_reacted_to(people: None, api: APIClient, ada: User, grace: User) -> None:
    private = Moment.objects.create(author=ada, audience="self")
    unpublished = Article.objects.create(author=ada, title="x", is_public=False)
    blocked = Moment.objects.create(author=User.objects.create(username="blocked"))
    Block.objects.create(by=grace, of=blocked.author)
    for row, kind in ((private, "whisper"), (blocked, "whisper"), (unpublished, "opinion")):
        for method in (api.get, api.post):
            assert method(address(row, kind)).status_code == 404
    # But taken back.
    Whisper.objects.create(user=grace, moment=blocked)
    assert api.delete(address(blocked)).status_code == 204
    assert not Whisper.objects.exists()
    assert not Opinion.objects.exists()


def test_reactions_of_the_muted_and_secret_ones_are_not_listed(
    people: None, api: APIClient, moment: Moment, ada: User, grace: User, make_user: Any
) -> None:
    muted, fine = make_user("muted"), make_user("fine")
    Mute.objects.create(by=grace, of=muted)
    for user in (muted, fine, ada, grace):
        Whisper.objects.create(user=user, moment=moment, secret=user in (ada, grace))
    names = [one["user"]["text"] for one in api.get(address(moment)).json()["results"]]
    assert names == ["grace", "fine"]


def test_those_of_others_are_not_deleted(api: APIClient, moment: Moment, ada: User) -> None:
    theirs = Whisper.objects.create(user=ada, moment=moment)
    assert api.delete(address(moment, "whisper", theirs.pk)).status_code == 404
    assert api.delete(address(moment)).status_code == 204
    assert Whisper.objects.count() == 1


def test_only_a_key_to_the_user_tells_whose_reactions_are_deleted(
    api: APIClient, moment: Moment, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Whisper.objects.create(user=ada, moment=moment)
    publisher = reactions_of_kind("whisper", Moment)
    assert publisher is not None
    for source in (lambda row: row.user, "secret", "no_field", "moment", "moment.author"):
        declaration = dataclasses.replace(publisher.declaration, user=source)
        monkeypatch.setattr(publisher, "declaration", declaration)
        for where in (address(moment), address(moment, "whisper", theirs.pk)):
            with pytest.raises(ImproperlyConfigured, match="to the user model"):
                api.delete(where)
        (error,) = check_api_reactions()
        assert (error.id, error.obj) == ("django_stream.E081", Whisper)
    assert Whisper.objects.count() == 1


def test_deleting_does_not_tell_hidden_rows_from_none(
    people: None, api: APIClient, moment: Moment, ada: User, grace: User
) -> None:
    Block.objects.create(by=grace, of=ada)
    none = address(moment).replace(f"/{moment.pk}/", "/0/")
    for more in ("", "7/"):
        hidden, missing = api.delete(address(moment) + more), api.delete(none + more)
        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert hidden.content.decode().replace(f"'{moment.pk}'", "'0'") == missing.content.decode()
    Whisper.objects.create(user=grace, moment=moment)
    assert api.delete(address(moment)).status_code == 204
    assert not Whisper.objects.exists()


def test_visitors_and_requests_without_the_csrf_token_do_nothing(
    moment: Moment, api: APIClient, grace: User
) -> None:
    strict = APIClient(enforce_csrf_checks=True)
    strict.force_login(grace)
    for client in (APIClient(), strict):
        for method in (client.post, client.delete):
            assert method(address(moment)).status_code == 403
    assert APIClient().get(address(moment)).status_code == 403


def test_a_site_has_rules_of_its_own(moment: Moment, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReactionsView, "may_react", lambda self, request, row: False)
    assert api.post(address(moment)).status_code == 403
    assert api.get(address(moment)).status_code == 200


def test_rows_have_the_serializer_that_is_registered(
    moment: Moment, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WhisperSerializer(serializers.ModelSerializer[Whisper]):
        class Meta:
            model = Whisper
            fields = ("id", "secret")

    monkeypatch.setattr(registered, "_serializers", {})
    register_serializer(Whisper, WhisperSerializer)
    made = api.post(address(moment)).json()
    assert made["data"] == {"id": int(made["id"]), "secret": False}


@pytest.mark.parametrize("size", [2, 30])
def test_a_list_costs_the_same_for_few_and_many(
    size: int, people: None, api: APIClient, moment: Moment, make_user: Any, django_assert_num_queries: Any
) -> None:
    for number in range(size):
        Whisper.objects.create(user=make_user(f"u{number}"), moment=moment)
    drain()
    with django_assert_num_queries(QUERIES):
        page = api.get(address(moment), {"limit": 25}).json()
    assert len(page["results"]) == min(size, 25)
    if page["next"]:
        following = api.get(page["next"]).json()
        assert (len(following["results"]), following["next"]) == (size - 25, None)
        assert not {one["id"] for one in page["results"]} & {one["id"] for one in following["results"]}


QUERIES = 8


def test_a_row_that_code_leads_to_cannot_be_made(moment: Moment, grace: User) -> None:
    publisher = reactions_of_kind("whisper", Moment)
    assert publisher is not None
    broken = type(publisher)(
        Whisper,
        type(publisher.declaration)(activity="moment.author", user="user"),
        lambda row: None,
    )
    with pytest.raises(ImproperlyConfigured, match="cannot make and delete rows of testapp.Whisper"):
        react(broken, grace, moment, {})


@pytest.mark.parametrize("number", ["NaN", "inf", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused_and_a_finite_one_is_not(
    number: str, api: APIClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = Article.objects.create(author=ada, title="x")
    publisher = reactions_of_kind("opinion", Article)
    with_stars = dataclasses.replace(publisher.declaration, fields=("text", "stars"))
    monkeypatch.setattr(publisher, "declaration", with_stars)

    def send(stars: str) -> Any:
        return api.post(address(article, "opinion"), {"text": "x", "stars": stars}, format="json")

    refused = send(number)
    assert (refused.status_code, refused.json()) == (400, {"stars": ["Must be a finite number."]})
    assert send("4.5").json()["data"] == {"text": "x", "stars": 4.5}
    assert Opinion.objects.count() == 1


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_has_no_word_for_spoils_no_list(
    number: float, api: APIClient, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of floats takes "NaN" from everybody who reacts."""

    class Odd(serializers.ModelSerializer[Whisper]):
        stars = serializers.SerializerMethodField()

        class Meta:
            model = Whisper
            fields = ("pk", "stars")

        def get_stars(self, whisper: Whisper) -> Any:
            return [{"n": number if whisper.pk == first.pk else 4.5}]

    monkeypatch.setattr(registered, "_serializers", {})
    register_serializer(Whisper, Odd)
    first, second = (Whisper.objects.create(user=moment.author, moment=moment) for _ in "ab")

    found = api.get(address(moment))
    told = {one["data"]["pk"]: one["data"]["stars"] for one in found.json()["results"]}
    assert told == {first.pk: [{"n": None}], second.pk: [{"n": 4.5}]}
    assert found["Content-Type"] == "application/json"
