"""One item never spoils a page: what a template fails on is shown plainly, or left out, and logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import engines
from rest_framework.test import APIClient

from django_stream.feeds import FeedReader, feed_manager
from django_stream.publishing.drain import drain
from django_stream.rendering import templates
from django_stream.templatetags.django_stream import author_of
from django_stream.testing import assert_published
from tests.contract.calling import Api, ok
from tests.extras import needs
from tests.testapp.models import Article, Subscription

FAILING = "{% load django_stream %}{% url 'nowhere' activity.object.pk %}"


@pytest.fixture
def failing_template(settings: Any, tmp_path: Path) -> None:
    for name in ("tweet.html", "aggregated/tweet.html"):
        file = tmp_path / "activity" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FAILING)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


def rendered(*page: Any) -> str:
    source = "{% load django_stream %}{% for one in page %}{% render_activity one %}{% endfor %}"
    html: str = engines["django"].from_string(source).render({"page": page})
    return html


@pytest.mark.usefixtures("failing_template")
def test_a_template_that_fails_is_replaced_by_the_plain_one(caplog: pytest.LogCaptureFixture) -> None:
    tweet = {"id": "x1", "actor": "<b>eve</b>", "verb": "tweet", "object": "text"}
    group = {"id": "x2", "verb": "tweet", "activities": [tweet], "actor_count": 1, "activity_count": 1}
    other = {"id": "x3", "actor": "ada", "verb": "like", "object": "pie"}

    html = rendered(tweet, group, other)

    assert html.count("&lt;b&gt;eve&lt;/b&gt;") == 2
    assert "pie" in html
    assert "x1" in caplog.text
    assert "x2" in caplog.text


def test_a_process_remembers_so_many_verbs(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(templates, "_MOST_NAMES", 40)
    (tmp_path / "activity").mkdir()
    (tmp_path / "activity" / "tweet.html").write_text("a tweet")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    (loader,) = engines["django"].engine.template_loaders
    for number in range(100):
        assert "pie" in rendered({"id": "x", "actor": "eve", "verb": f"v {number}", "object": "pie"})
        assert rendered({"id": "y", "actor": "eve", "verb": "tweet", "object": "pie"}) == "a tweet"
        assert len(loader.get_template_cache) <= 50


def test_an_instance_that_has_no_text_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("on purpose")

    broken = {"id": "x1", "actor": Broken(), "verb": "tweet", "object": "text"}
    assert "pie" in rendered(broken, {"id": "x2", "actor": "ada", "verb": "like", "object": "pie"})
    assert "on purpose" in caplog.text


LIKE_ACTIVITY = {
    **dict.fromkeys(("id", "actor", "verb", "object", "time"), "x"),
    "target": "",
    "to": ["user:1"],
}


@pytest.mark.django_db
@pytest.mark.urls("tests.db.site.urls")
@pytest.mark.parametrize("group", [None, 1, "x", [], [1], {}, [{"actor": "x"}]], ids=repr)
def test_custom_fields_of_any_name_are_told_by_every_door(ada: User, group: Any) -> None:
    Subscription.objects.create(reader=ada, writer=ada)
    drain()
    custom = {"activities": group, "group": "g", "activity_count": 7, "inner": LIKE_ACTIVITY}
    custom["reaction"] = {"id": "r", "created_at": "2026-01-31T12:00:00Z"}
    activity = {"actor": f"auth.User:{ada.pk}", "verb": "tweet", "object": "text", **custom}
    activity["to"] = [f"notification:{ada.pk}"]
    ok("POST", f"feed/user/{ada.pk}/", {"activities": [activity]})
    api = APIClient()
    api.force_authenticate(ada)

    for slug in ("user", "timeline", "notification"):
        found = api.get(f"/feeds/{slug}/").json()["results"][0]
        (member,) = found["activities"] if slug == "notification" else [found]
        assert {name: member[name] for name in custom} == custom

        (entry,) = FeedReader(feed_manager.get_feed(slug, ada)).page()
        assert "<strong>ada</strong>" in rendered(entry)
        assert author_of(entry) == ada
        assert_published(ada, slug, group="g")


@pytest.mark.django_db
@pytest.mark.urls("tests.db.site.urls")
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_is_none_in_utc_spoils_no_page(moment: str, ada: User, grace: User) -> None:
    """What looks like the server's own notice of a reaction may be anybody's, and so may its times."""
    eve = Api(auth=None).as_user(str(grace.pk))
    told = {"id": "x", "created_at": moment, "user": {"updated_at": moment}}
    told["latest_children"] = {"like": [{"created_at": moment, "deleted_at": moment}]}
    posted = {"actor": f"SU:{grace.pk}", "verb": "v", "object": "o", "to": [f"notification:{ada.pk}"]}
    eve.ok("POST", f"feed/user/{grace.pk}/", {**posted, "foreign_id": "reaction:x", "reaction": told})
    api = APIClient()
    api.force_authenticate(ada)

    (group,) = api.get("/feeds/notification/").json()["results"]
    assert group["activities"][0]["reaction"] == told


@needs("aggregation")
@pytest.mark.django_db
@pytest.mark.urls("example_project.urls")
@pytest.mark.parametrize("verb", ["post", "like", "commit", "anything"])
@pytest.mark.parametrize("feed", ["user", "timeline", "notification", "public"])
def test_the_example_shows_what_others_post_by_the_api(
    client: Any, ada: User, settings: Any, verb: str, feed: str
) -> None:
    from example_project.settings import STREAM_SERVER_FEED_GROUPS

    settings.STREAM_SERVER_FEED_GROUPS = STREAM_SERVER_FEED_GROUPS
    owner = "everyone" if feed == "public" else ada.pk
    for value in ("text", f"auth.User:{ada.pk}", "social.Post:99", "auth.Group:1", "SU:1", "x:y:z"):
        for name in ("actor", "object", "target"):
            activity = {
                "actor": f"auth.User:{ada.pk}",
                "verb": verb,
                "object": "o",
                "target": "",
                name: value,
            }
            ok("POST", f"feed/{feed}/{owner}/", activity)

    client.force_login(ada)
    for page in ("/", "/everyone/", "/notifications/", f"/people/{ada.username}/"):
        assert client.get(page, follow=True).status_code == 200, page


@pytest.mark.django_db
@pytest.mark.urls("tests.db.site.urls")
def test_whom_an_activity_was_sent_to_is_told_to_its_author_alone(ada: User, grace: User) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    Article.objects.create(author=ada, title="secret").mentioned.add(grace)
    drain()

    def seen(user: User, slug: str) -> list[bool]:
        api = APIClient()
        api.force_authenticate(user)
        found = api.get(f"/feeds/{slug}/").json()["results"]
        return ["to" in one for entry in found for one in entry.get("activities", [entry])]

    assert seen(ada, "user") == [True]
    assert seen(grace, "timeline") == [False]
    assert seen(grace, "notification") == [False]


@pytest.mark.django_db
@pytest.mark.urls("tests.db.site.urls")
def test_a_row_that_has_no_json_is_left_out_of_a_page(
    ada: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for title in ("good", "bad"):
        Article.objects.create(author=ada, title=title)
    drain("default")

    def text(article: Article) -> str:
        if article.title == "bad":
            raise LookupError("on purpose")
        return "fine"

    monkeypatch.setattr(Article, "__str__", text)
    api = APIClient()
    api.force_login(ada)
    (shown,) = api.get("/feeds/user/").json()["results"]
    assert shown["object"]["text"] == "fine"
    assert "on purpose" in caplog.text
