"""Whatever strangers wrote is text in every template that is shipped, in each place that shows it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import engines
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import timezone
from django.utils.html import escape

from django_stream.admin_links import Link
from django_stream.server.conf import server_settings
from django_stream.server.models import Feed, Follow, TimelineEntry
from tests.contract.calling import post
from tests.testapp.models import Moment

FIELDS = ("actor", "verb", "object", "target")
WORDS = ("id", "group", "note", "actor_count", "activity_count", *FIELDS)


def evil(name: str) -> str:
    return f"<i class='{name}' onload=\"{name}\">&"


def rendered(activity: dict[str, Any], **context: Any) -> str:
    source = "{% load django_stream %}{% render_activity one %}"
    html: str = engines["django"].from_string(source).render({"one": activity, **context})
    return html


def shown(html: str) -> set[str]:
    """The words whose evil text is in the page, as text."""
    assert "<i " not in html
    assert "&" not in html.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "").replace(
        "&quot;", ""
    ).replace("&#x27;", "").replace("&rarr;", "").replace("&nbsp;", "")
    return {name for name in WORDS if escape(evil(name)) in html}


def activity_of(words: dict[str, str]) -> dict[str, Any]:
    return {**words, "time": timezone.now()}


def test_every_field_of_an_activity_is_text() -> None:
    words = {name: evil(name) for name in WORDS}
    assert shown(rendered(activity_of(words))) == set(FIELDS)


@pytest.mark.parametrize("counts", [{}, {"actor_count": 3, "activity_count": 5}], ids=["hostile", "numbers"])
def test_every_field_of_a_group_is_text(counts: dict[str, int]) -> None:
    words = {name: evil(name) for name in WORDS}
    group = {
        "group": evil("group"),
        "verb": words["verb"],
        "updated_at": timezone.now(),
        "activities": [activity_of(words)],
        **counts,
    }
    assert shown(rendered(group)) == {"actor", "verb", "object"}


@pytest.mark.django_db
def test_the_explorer_of_feeds_shows_text(admin_client: Any) -> None:
    words = {name: evil(name) for name in FIELDS}
    post("timeline:1", **words, foreign_id=evil("note"))
    feed = Feed.objects.get(slug="timeline")
    strange = Feed.objects.create(
        application_id=server_settings.own_app_id, slug="user", user_id=evil("group")
    )
    Follow.objects.create(source=feed, target=strange, since_seq=0)
    Follow.objects.create(source=strange, target=feed, since_seq=0)
    # The item came by following it, so that it is named among the reasons too.
    TimelineEntry.objects.filter(feed=feed.pk).update(via=strange.pk)
    page = admin_client.get(f"/admin/django_stream_server/feed/{feed.pk}/change/").content.decode()
    assert "<i class='" not in page
    assert page.count(escape(evil("group"))) == 3
    assert {name for name in WORDS if escape(evil(name)) in page} == {
        "actor",
        "verb",
        "object",
        "note",
        "group",
    }


@pytest.mark.django_db
@pytest.mark.urls("example_project.urls")
@pytest.mark.parametrize("verb", ["post", "like", "commit"])
@pytest.mark.parametrize("seen_by", ["a person", "nobody"])
def test_the_examples_activities_are_text(verb: str, seen_by: str, caplog: pytest.LogCaptureFixture) -> None:
    from django.contrib.auth.models import AnonymousUser

    from example_project.social.models import Post

    def person(number: int) -> User:
        return User.objects.create(username=f"{evil('actor')}{number}", first_name=evil("verb"))

    first, second, third = person(1), person(2), person(3)
    text = Post.objects.create(author=first, text=evil("object"))
    objects: dict[str, Any] = {
        "commit": {"subject": evil("object"), "sha": "<i c", "areas": [evil("note")], "files": evil("id")}
    }
    words = {name: evil(name) for name in WORDS}
    activity = {
        **activity_of(words),
        "id": evil("id"),
        "actor": first,
        "verb": verb,
        "object": objects.get(verb, text),
    }
    request = RequestFactory().get("/" + evil("target"))
    request.user = second if seen_by == "a person" else AnonymousUser()
    context = {"request": request, "user": request.user}
    found = shown(rendered(activity, **context))
    assert {"verb", "object"} <= found
    if verb == "commit":
        assert "note" in found
        assert not caplog.records
        return
    others = [{**activity, "actor": one} for one in (first, second)]
    counts = {"actor_count": 2, "activity_count": 2, "is_seen": False}
    assert {"verb", "object"} <= shown(rendered({**activity, **counts, "activities": others}, **context)) or (
        verb == "post"
    )
    crowd = [*others, {**activity, "actor": third}]
    shown(rendered({**activity, **counts, "actor_count": 3, "activities": crowd}, **context))
    assert not caplog.records, "nothing was shown by the plain template instead"


def all_escaped(html: str, *words: str) -> bool:
    return "<i class='" not in html and all(escape(evil(word)) in html for word in words)


@pytest.mark.django_db
def test_the_pages_that_explain_feeds_show_text(rf: RequestFactory, admin_user: User) -> None:
    """Rows, their keys, and what their code raises are whatever people wrote."""
    request = rf.get("/")
    request.user = admin_user
    stopping, passing = (
        {"about": evil(f"about{number}"), "text": evil(f"text{number}"), "stops": number == 1}
        for number in (1, 2)
    )
    explained = {
        "rows": [{"pk": evil("key")}],
        "feed": evil("feed"),
        "answers": [(evil("row"), [stopping, passing], False)],
    }
    html = get_template("django_stream/admin/explain.html").render(explained, request)
    assert all_escaped(html, "key", "feed", "row", "about1", "about2", "text1", "text2")

    items = [
        ({"text": evil("text1"), "reason": evil("reason1")}, evil("url")),
        ({"text": evil("text2"), "reason": evil("reason2")}, ""),
    ]
    html = get_template("django_stream/admin/feed.html").render({"items": items}, request)
    assert all_escaped(html, "text1", "text2", "reason1", "reason2", "url")


@pytest.mark.django_db
def test_links_from_a_row_to_its_feeds_are_text(
    admin_client: Any, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = Moment.objects.create(author=ada, text="x")
    link = Link(evil("text"), evil("url"))
    monkeypatch.setattr("django_stream.admin.links_of_row", lambda *_: [link])
    page = admin_client.get(f"/admin/testapp/moment/{moment.pk}/change/").content.decode()
    assert all_escaped(page, "text", "url")
