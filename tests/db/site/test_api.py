"""The site's own JSON: one's own feeds, paged, with a clear answer to a wrong question."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework import serializers
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from django_stream import feeds
from django_stream.api.serializers import InstanceSerializer, register_serializer
from django_stream.api.views import FeedView
from django_stream.client.exceptions import ConnectionFailed
from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import ApiResponse
from django_stream.tracking import drain
from tests.faults import BreakingTransport, Step, answering, before, client_over
from tests.testapp.models import Article, Subscription

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]


@pytest.fixture
def api(ada: User, grace: User) -> APIClient:
    Subscription.objects.create(reader=grace, writer=ada)
    for number in range(3):
        Article.objects.create(author=ada, title=str(number))
    drain()
    client = APIClient()
    client.force_authenticate(grace)
    return client


def test_a_timeline_with_its_next_page(api: APIClient, ada: User) -> None:
    first = api.get("/feeds/timeline/", {"limit": 2}).json()
    second = api.get(first["next"]).json()

    titles = [entry["title"] for entry in first["results"] + second["results"]]
    assert titles == ["2", "1", "0"]
    assert second["next"] is None
    assert first["results"][0]["actor"] == {"type": "auth.User", "id": str(ada.pk), "text": "ada"}


def test_a_site_chooses_how_its_rows_look(api: APIClient, request: pytest.FixtureRequest) -> None:
    class ArticleSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
        class Meta:
            model = Article
            fields = ("title",)

    request.addfinalizer(lambda: register_serializer(Article, InstanceSerializer))
    register_serializer(Article, ArticleSerializer)

    assert api.get("/feeds/timeline/").json()["results"][0]["object"] == {"title": "2"}


def test_notifications_carry_their_counts(api: APIClient, grace: User) -> None:
    Article.objects.get(title="0").mentioned.add(grace)
    drain()

    body = api.get("/feeds/notification/").json()

    assert (body["unseen"], body["unread"]) == (1, 1)
    assert body["results"][0]["activities"][0]["title"] == "0"


@pytest.mark.parametrize("one_by_one", [False, True])
def test_notifications_are_marked(api: APIClient, grace: User, one_by_one: bool) -> None:
    Article.objects.get(title="0").mentioned.add(grace)
    drain()
    (entry,) = api.get("/feeds/notification/").json()["results"]
    which = [entry["id"]] if one_by_one else True

    seen = api.post("/feeds/notification/", {"mark_seen": which}, format="json")
    assert (seen.status_code, seen.content) == (204, b"")
    body = api.get("/feeds/notification/").json()
    assert (body["unseen"], body["unread"]) == (0, 1)

    api.post("/feeds/notification/", {"mark_read": which}, format="json")
    assert api.get("/feeds/notification/").json()["unread"] == 0

    unread = api.post("/feeds/notification/", {"mark_unread": which}, format="json")
    assert unread.status_code == 204
    assert api.get("/feeds/notification/").json()["unread"] == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["mark_seen", "mark_read", "mark_unread"]),
        ([], ["mark_seen", "mark_read", "mark_unread"]),
        ({"mark_seen": False}, ["mark_seen"]),
        ({"mark_seen": True, "mark_read": "x"}, ["mark_read"]),
        ({"mark_read": []}, ["mark_read"]),
        ({"mark_read": ["a,b"]}, ["mark_read"]),
        ({"mark_read": [7]}, ["mark_read"]),
        ({"mark_read": ["x"] * 101}, ["mark_read"]),
        ({"mark_read": ["a\0"]}, ["mark_read"]),
        ({"mark_read": ["x" * 300]}, ["mark_read"]),
    ],
    ids=[
        *("nothing", "a list", "false", "a text", "no ids", "two ids in one", "a number", "too many"),
        *("a null character", "a long text"),
    ],
)
def test_a_wrong_mark_is_named_and_marks_nothing(
    api: APIClient, grace: User, body: Any, named: list[str]
) -> None:
    Article.objects.get(title="0").mentioned.add(grace)
    drain()

    answer = api.post("/feeds/notification/", body, format="json")

    assert (answer.status_code, list(answer.json())) == (400, named)
    assert api.get("/feeds/notification/").json()["unseen"] == 1


HALF = '{"mark_read": ["\\ud800"]}'


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "[", "\x00", "9" * 5_000, HALF], ids=len)
def test_a_body_that_cannot_be_read_is_refused(api: APIClient, body: str) -> None:
    answer = api.post("/feeds/notification/", body, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("cursor", ["\0", "\ud800", "x" * 5_000, "a,b", "'", "\u2028"], ids=ascii)
def test_a_cursor_that_nobody_gave_out_is_refused(api: APIClient, cursor: str) -> None:
    cursor = cursor.encode(errors="surrogatepass").decode(errors="replace")
    assert api.get("/feeds/timeline/", {"cursor": cursor}).status_code == 400


def test_only_notifications_are_marked(api: APIClient) -> None:
    assert api.post("/feeds/timeline/", {"mark_seen": True}, format="json").status_code == 405
    assert api.post("/feeds/secret/", {"mark_seen": True}, format="json").status_code == 404


@pytest.mark.parametrize("by", ["another user", "nobody"])
def test_a_view_that_shows_the_notifications_of_others_marks_none(
    api: APIClient, ada: User, grace: User, by: str
) -> None:
    class AnybodysView(FeedView):
        permission_classes = ()

        def reader(self, request: Any, slug: str) -> feeds.FeedReader:
            return feeds.notifications(grace)

    Article.objects.get(title="0").mentioned.add(grace)
    drain()
    request = APIRequestFactory().post("/", {"mark_seen": True}, format="json")
    if by == "another user":
        force_authenticate(request, ada)

    assert AnybodysView.as_view()(request, slug="x").status_code == 405
    assert feeds.unseen(grace) == 1


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1", "²"])
def test_a_bad_limit_is_named(api: APIClient, limit: str) -> None:
    answer = api.get("/feeds/timeline/", {"limit": limit})

    assert (answer.status_code, answer.json()) == (400, {"limit": ["Must be a number from 1 to 100."]})


def test_a_bad_cursor_is_named(api: APIClient) -> None:
    answer = api.get("/feeds/timeline/", {"cursor": "nonsense"})

    assert answer.status_code == 400
    assert "cursor" in answer.json()


@pytest.mark.parametrize(
    "step",
    [
        before(ConnectionFailed("the line is dead")),
        answering(
            ApiResponse(500, ApiError.named("InternalException", "oops").envelope() | {"duration": "1ms"})
        ),
    ],
    ids=["no answer", "a broken server"],
)
def test_feeds_that_cannot_be_read_are_a_503(
    api: APIClient, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "django_stream.feeds.manager.get_client", lambda: client_over(BreakingTransport(step))
    )

    answer = api.get("/feeds/timeline/")

    assert (answer.status_code, answer.json()["detail"].split(".")[0]) == (
        503,
        "The feeds cannot be read right now",
    )


def test_unknown_feeds_and_strangers_are_refused(api: APIClient) -> None:
    assert api.get("/feeds/secret/").status_code == 404
    api.force_authenticate(None)
    assert api.get("/feeds/timeline/").status_code in (401, 403)


@pytest.mark.parametrize("size", [1, 3])
def test_a_page_costs_the_same_at_any_size(
    api: APIClient, size: int, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(6):
        assert len(api.get("/feeds/timeline/", {"limit": size}).json()["results"]) == size
