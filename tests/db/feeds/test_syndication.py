"""Other people's programs read public feeds, and find what a visitor may see and nothing else."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.http import Http404
from django.test import RequestFactory

from django_stream import feeds
from django_stream.syndication import ActivityStreamsView, AtomView, JsonFeedView
from django_stream.tracking import drain
from tests.contract.calling import ok
from tests.testapp.models import Article, Moment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

VIEWS = (AtomView, JsonFeedView, ActivityStreamsView)
HOSTILE = "<script>alert(1)</script>\x08&]]>\u202e"


def get(view: Any, owner: User, user: User | None = None, query: str = "", **options: Any) -> Any:
    request = RequestFactory().get(f"/public/{query}")
    if user is not None:
        request.user = user
    as_view = view.as_view(
        reader=lambda request: feeds.profile(owner, viewer=owner), title="News & more", **options
    )
    return as_view(request)


@pytest.fixture
def moments(ada: User) -> list[Moment]:
    texts = {"secret": "self", "first": "all", HOSTILE: "all"}
    moments = [Moment.objects.create(author=ada, text=text, audience=who) for text, who in texts.items()]
    drain()
    return moments


def test_atom_is_understood_by_feedparser(ada: User, moments: list[Moment]) -> None:
    feedparser = pytest.importorskip("feedparser")
    answer = get(AtomView, ada)
    found = feedparser.parse(answer.content, response_headers={"content-type": answer["Content-Type"]})

    assert not found.bozo, found.get("bozo_exception")
    assert (found.version, found.feed.title) == ("atom10", "News & more")
    assert [entry.author for entry in found.entries] == ["ada", "ada"]
    assert [entry.title for entry in found.entries] == [
        f"ada moment Moment object ({moment.pk})" for moment in moments[:0:-1]
    ]
    assert all(entry.id.startswith("urn:uuid:") for entry in found.entries)
    assert found.entries[0].updated_parsed
    assert b"<script>" not in answer.content


def test_atom_is_xml_whatever_people_write(ada: User) -> None:
    Article.objects.create(author=ada, title=HOSTILE)
    drain()
    root = ElementTree.fromstring(get(AtomView, ada).content)
    (summary,) = root.iter("{http://www.w3.org/2005/Atom}summary")
    assert "&lt;script&gt;" in str(summary.text)


def test_json_feed_names_the_next_page(ada: User, moments: list[Moment]) -> None:
    answer = get(JsonFeedView, ada, limit=1)
    body = json.loads(answer.content)

    assert answer["Content-Type"] == "application/feed+json"
    assert body["version"] == "https://jsonfeed.org/version/1.1"
    assert {"id", "content_html", "date_published", "authors", "title"} == body["items"][0].keys()
    following = json.loads(
        get(JsonFeedView, ada, limit=1, query=body["next_url"].partition("/public/")[2]).content
    )
    assert len(following["items"]) == 1
    assert following["items"][0]["id"] != body["items"][0]["id"]


def test_activity_streams_speak_the_vocabulary(ada: User) -> None:
    Article.objects.create(author=ada, title="one", editor=ada)
    drain()
    answer = get(ActivityStreamsView, ada)
    body = json.loads(answer.content)

    assert answer["Content-Type"] == "application/activity+json"
    assert (body["@context"], body["type"]) == (
        "https://www.w3.org/ns/activitystreams",
        "OrderedCollectionPage",
    )
    (item,) = body["orderedItems"]
    assert (item["type"], item["actor"], item["object"], item["target"]) == (
        "Create",
        {"type": "Person", "name": "ada"},
        {"type": "Object", "name": "one"},
        {"type": "Object", "name": "ada"},
    )


@pytest.mark.parametrize("view", VIEWS)
def test_whoever_asks_gets_what_a_visitor_may_see(ada: User, moments: list[Moment], view: Any) -> None:
    answers = {get(view, ada, user).content for user in (None, ada)}
    assert len(answers) == 1
    assert f"({moments[0].pk})".encode() not in answers.pop()


@pytest.mark.parametrize("view", VIEWS)
def test_a_wrong_cursor_is_404_and_a_view_needs_a_reader(ada: User, view: Any) -> None:
    with pytest.raises(Http404):
        get(view, ada, query="?cursor=zzz")
    with pytest.raises(TypeError, match=r"needs a reader: as_view\(reader=…\)"):
        view.as_view()(RequestFactory().get("/"))


@pytest.mark.parametrize("broken", ["get_absolute_url", "__str__"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_row_that_fails_is_left_out_of_the_feed(
    view: Any, broken: str, ada: User, moments: list[Moment], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(moment: Moment) -> str:
        if moment.text == "first":
            raise LookupError("on purpose")
        return "/x/"

    monkeypatch.setattr(Moment, broken, fail, raising=False)
    answer = get(view, ada)
    assert answer.content.count(b"urn:uuid:") == 1
    assert "on purpose" in caplog.text


@pytest.mark.parametrize("view", VIEWS)
def test_a_database_that_fails_is_not_told_as_an_empty_feed(
    view: Any, ada: User, moments: list[Moment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(moment: Moment) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM a_table_that_is_not_there")
        return "/x/"

    monkeypatch.setattr(Moment, "get_absolute_url", fail, raising=False)
    with pytest.raises(DatabaseError, match="a_table_that_is_not_there"), transaction.atomic():
        get(view, ada)


@pytest.mark.parametrize("slug", ["user", "notification"])
@pytest.mark.parametrize("view", VIEWS)
def test_what_was_erased_is_left_out_of_the_feed(view: Any, slug: str, ada: User) -> None:
    """It keeps its place on a page, without an actor and without words."""
    made = [
        ok("POST", f"feed/{slug}/{ada.pk}/", {"actor": "ada", "verb": "say", "object": text})
        for text in ("one", "two", "three")
    ]
    ok("POST", f"feed/{slug}/{ada.pk}/", {"actor": "ada", "verb": "erase", "object": "four"})
    gone = [{"id": one["id"]} for one in (*made[1:], *ok("GET", f"feed/{slug}/{ada.pk}/")["results"][:1])]
    ok("POST", "data_privacy/delete_activities/", {"activities": [{"id": one["id"][:36]} for one in gone]})

    reader = feeds.profile(ada) if slug == "user" else feeds.notifications(ada)
    answer = view.as_view(reader=lambda request: reader, title="News")(RequestFactory().get("/public/"))

    assert answer.content.count(b"urn:uuid:") == 1
    assert b"ada say one" in answer.content
