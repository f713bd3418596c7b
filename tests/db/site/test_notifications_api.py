"""Notifications by JSON: listed, marked, dismissed, and chosen."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import modify_settings
from rest_framework.test import APIClient

from django_stream import feeds
from django_stream.activities import relations
from django_stream.client.exceptions import ConnectionFailed
from django_stream.feeds import feed_manager
from django_stream.notifications import preferences
from django_stream.notifications.models import Preference
from django_stream.tracking import drain
from tests.testapp.models import Article

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]
LIST, CHOSEN = "/feeds/me/notifications/", "/feeds/me/notifications/preferences/"


@pytest.fixture(autouse=True)
def _apps_that_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed apps that change start again, and the example's mutes and blocks with them."""
    monkeypatch.setattr(relations, "_relations", {})


@pytest.fixture
def api(grace: User) -> APIClient:
    client = APIClient()
    client.force_login(grace)
    return client


def tell(ada: User, grace: User, number: int = 1) -> None:
    for day in range(1, number + 1):
        article = Article.objects.create(
            author=ada, title=str(day), published_at=f"2026-01-{day:02}T12:00:00Z"
        )
        article.mentioned.add(grace)
    drain()


def test_they_are_listed_and_marked(api: APIClient, ada: User, grace: User) -> None:
    tell(ada, grace, 2)
    body = api.get(LIST, {"limit": 1}).json()
    assert (len(body["results"]), body["unseen"], body["unread"]) == (1, 2, 2)
    assert len(api.get(body["next"]).json()["results"]) == 1

    assert api.post(LIST, {"mark_seen": True}, format="json").status_code == 204
    assert api.post(LIST, {"mark_sen": True}, format="json").status_code == 400
    body = api.get(LIST).json()
    assert (body["unseen"], body["unread"]) == (0, 2)


def test_one_and_all_are_dismissed(api: APIClient, ada: User, grace: User) -> None:
    tell(ada, grace, 3)
    first, *others = [entry["id"] for entry in api.get(LIST).json()["results"]]
    one = f"{LIST}{quote(first)}/"

    assert api.delete(one).status_code == 204
    assert [entry["id"] for entry in api.get(LIST).json()["results"]] == others
    assert api.delete(f"{LIST}nonsense/").status_code == 404
    assert api.delete(LIST).status_code == 204
    assert api.get(LIST).json()["results"] == []
    assert api.get(f"{LIST}count/").json() == {"unseen": 0, "unread": 0}


def test_nobody_dismisses_those_of_others(api: APIClient, ada: User, grace: User) -> None:
    tell(grace, ada)
    (entry,) = feeds.notifications(ada).page()
    assert api.delete(f"{LIST}{quote(entry['id'])}/").status_code == 404
    assert feeds.unseen(ada) == 1
    visitor = APIClient()
    strict = APIClient(enforce_csrf_checks=True)
    strict.force_login(ada)
    for client in (visitor, strict):
        for path in (LIST, f"{LIST}{quote(entry['id'])}/"):
            assert client.delete(path).status_code == 403
        assert client.patch(CHOSEN, {}, format="json").status_code == 403
    assert feeds.unseen(ada) == 1


def test_what_one_wants_is_chosen(api: APIClient, ada: User, grace: User) -> None:
    assert api.get(CHOSEN).json() == {"verbs": {}, "digest": "off"}
    body = {"verbs": {"publish": {"in_feed": False}}, "digest": "weekly"}
    expected = {"verbs": {"publish": {"in_feed": False, "by_email": True}}, "digest": "weekly"}
    assert api.patch(CHOSEN, body, format="json").json() == expected
    assert api.patch(CHOSEN, {}, format="json").json() == expected
    tell(ada, grace)
    assert api.get(LIST).json()["results"] == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"verb": {}}, "verb"),
        ({"digest": "dayly"}, "digest"),
        ({"digest": []}, "digest"),
        ({"verbs": []}, "verbs"),
        ({"verbs": {"like": True}}, "verbs"),
        ({"verbs": {"like": {"by_email": "no"}}}, "verbs"),
        ({"verbs": {"like": {"by_mail": True}}}, "by_mail"),
        ({"verbs": {"": {"by_email": True}}}, "verbs"),
        ({"verbs": {"x" * 300: {"by_email": True}}}, "verbs"),
        ({"verbs": {str(number): {} for number in range(101)}}, "verbs"),
        ([], "detail"),
    ],
)
def test_what_is_wrong_is_named(body: Any, named: str, api: APIClient, grace: User) -> None:
    answer = api.patch(CHOSEN, body, format="json")
    assert (answer.status_code, [*answer.json()]) == (400, [named])
    assert (preferences(grace).verbs, preferences(grace).digest) == ({}, "off")


def test_a_backend_that_is_down_is_503(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionFailed("down")

    monkeypatch.setattr(type(feed_manager.client.feed("user", "1")), "get", broken)
    assert api.get(LIST).status_code == 503
    assert api.delete(LIST).status_code == 503
    assert api.delete(f"{LIST}x/").status_code == 503


@modify_settings(INSTALLED_APPS={"remove": "django_stream.notifications"})
def test_without_the_app_nothing_is_dismissed(api: APIClient, ada: User, grace: User) -> None:
    assert api.delete(LIST).status_code == 405


@pytest.mark.parametrize("size", [2, 25])
def test_a_list_costs_the_same_for_few_and_many(
    size: int, api: APIClient, ada: User, grace: User, django_assert_num_queries: Any
) -> None:
    tell(ada, grace, size)
    api.get(LIST)
    with django_assert_num_queries(QUERIES):
        assert len(api.get(LIST).json()["results"]) == size
    with django_assert_num_queries(COUNTING):
        assert api.get(f"{LIST}count/").json() == {"unseen": size, "unread": size}
    with django_assert_num_queries(4):
        api.get(CHOSEN)


QUERIES, COUNTING = 10, 13


def test_limits_are_by_scopes(api: APIClient, settings: Any, ada: User, grace: User) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttle"}
    }
    for _ in range(3):
        assert api.get(LIST).status_code == 200, "without rates there is no limit"
    rates = {"stream_reading": "2/day", "stream_writing": "1/day", "stream_token": "1/day"}
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": rates}
    assert [api.get(LIST).status_code for _ in range(3)] == [200, 200, 429]
    assert [api.delete(LIST).status_code for _ in range(2)] == [204, 429]
    assert [api.post("/feeds/me/token/").status_code for _ in range(2)] == [200, 429]


def test_a_browser_gets_a_page_and_hostile_texts_are_harmless(api: APIClient, ada: User, grace: User) -> None:
    Article.objects.create(author=ada, title="</pre><script>alert(1)</script>").mentioned.add(grace)
    drain()
    for path in (LIST, "/feeds/notification/", CHOSEN, f"/feeds/users/{ada.pk}/follow/"):
        page = api.get(path, headers={"accept": "text/html"})
        assert page["Content-Type"].startswith("text/html")
        assert "<script>alert(1)" not in page.content.decode()
    assert api.get(LIST)["Content-Type"] == "application/json"


@modify_settings(INSTALLED_APPS={"remove": "rest_framework"})
def test_without_the_app_of_drf_there_is_json_alone(api: APIClient) -> None:
    assert api.get(CHOSEN, headers={"accept": "text/html"}).status_code == 406


def test_a_site_that_shows_no_pages_shows_none(api: APIClient, settings: Any) -> None:
    settings.REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
    assert api.get(CHOSEN, headers={"accept": "text/html"}).status_code == 406


def test_a_request_with_a_wrong_part_changes_nothing(api: APIClient, grace: User) -> None:
    body = {"verbs": {"like": {"in_feed": False}}, "digest": "hourly"}
    assert api.patch(CHOSEN, body, format="json").status_code == 400
    assert preferences(grace).verbs == {}


def test_nobody_has_preferences_without_end(api: APIClient, grace: User) -> None:
    Preference.objects.bulk_create(Preference(user=grace, verb=f"v{one}") for one in range(499))
    wrong = {"verbs": {"like": {"in_feed": False}, "one more": {"in_feed": False}}, "digest": "daily"}
    assert api.patch(CHOSEN, wrong, format="json").status_code == 400
    assert Preference.objects.filter(user=grace).count() == 499
    for _ in range(2):
        fine = {"verbs": {"like": {"in_feed": False}}}
        assert api.patch(CHOSEN, fine, format="json").status_code == 200
    assert Preference.objects.filter(user=grace).count() == 500
