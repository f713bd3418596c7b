"""Whatever stands in the feeds, no door of ours lets it act.

Doors are tags, JSON, Atom, JSON Feed, Activity Streams 2.0 and e-mails; what stands there is script,
addresses that are none, text that turns round, huge words, and rows and models that are not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from django_stream import feeds
from django_stream.notifications import Digest
from django_stream.syndication import ActivityStreamsView, AtomView, JsonFeedView
from django_stream.tracking import drain
from tests.contract.calling import ok
from tests.db.site.test_query_counts import JSON, TAGS
from tests.testapp.models import Moment, Praise, Subscription, Whisper

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]

TURNED = "\u202e\u2066\u200f"
SCHEME = re.compile(r"\s*(?!https?:)[a-z][\w+.-]*:", re.IGNORECASE)
EVIL = f"<script>x()</script>\"'><img src=x onerror=x()> javascript:x() {{{{ 7|add:7 }}}} {TURNED}"
LINK = "JaVaScRiPt:x()//"
OPEN_GRAPH = {"og": {"title": EVIL, "url": LINK, "images": [{"image": LINK}], "site": EVIL}}


class Acting(HTMLParser):
    """Collects what could act: elements that are not ours, handlers, and links to anything but the web."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.not_isolated: list[str] = []
        self._isolating = 0

    def handle_data(self, data: str) -> None:
        if TURNED in data and not self._isolating:
            self.not_isolated.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._isolating -= tag == "bdi"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._isolating += tag == "bdi"
        if tag in {"script", "img", "iframe", "object", "svg", "style", "base"}:
            self.found.append(tag)
        for name, value in attrs:
            is_link = name in {"href", "src", "action", "formaction", "hx-get"}
            if name.startswith("on") or (is_link and SCHEME.match(value or "")):
                self.found.append((tag, name, value))


def acting(html: str) -> list[Any]:
    parser = Acting()
    parser.feed(html)
    return parser.found


@pytest.fixture
def poisoned(ada: User, grace: User, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Moment:
    """Hostile rows that are tracked, and hostile activities that others have posted by the API."""
    settings.STREAM_API_REACTIONS = ("whisper", "cheer")
    settings.STREAM_FOLLOW_MODEL = "testapp.Subscription"
    monkeypatch.setattr(User, "get_absolute_url", lambda user: LINK, raising=False)
    monkeypatch.setattr(Moment, "get_absolute_url", lambda moment: LINK, raising=False)
    monkeypatch.setattr(Moment, "__str__", lambda moment: EVIL)
    monkeypatch.setattr(User, "__str__", lambda user: f"{user.first_name}{EVIL}")
    Subscription.objects.create(reader=ada, writer=grace)
    Subscription.objects.create(reader=grace, writer=ada)
    mine = Moment.objects.create(author=ada, text=EVIL[:100], at=grace)
    Moment.objects.create(author=grace, text=EVIL[:100], at=ada).mentioned.add(ada)
    Praise.objects.create(by=grace, moment=mine)
    Whisper.objects.create(user=grace, moment=mine)
    drain()
    for slug, owner in (("user", ada.pk), ("notification", ada.pk), ("user", grace.pk)):
        ok("POST", f"feed/{slug}/{owner}/", {"activities": [*_activities(ada)]})
    (first, *_) = ok("GET", f"feed/user/{ada.pk}/")["results"]
    reaction = {"kind": f"<b>{LINK}", "activity_id": first["id"], "user_id": str(grace.pk)}
    ok("POST", "reaction/", {**reaction, "data": {"text": EVIL, "name": EVIL, "url": LINK}})
    return mine


def _activities(ada: User) -> Iterator[dict[str, Any]]:
    told = {"note": EVIL, "image": LINK, "url": LINK, "attachments": OPEN_GRAPH, "huge": "w" * 4000}
    for name, value in (
        *(("verb", verb) for verb in (EVIL, "../../etc/passwd", TURNED, "v" * 250, "activity")),
        *((end, text) for end in ("object", "target", "actor") for text in (EVIL, LINK, TURNED)),
        *(
            (end, gone)
            for end in ("object", "target")
            for gone in ("testapp.Moment:999", "no.Model:1", "a:b")
        ),
        ("object", f"auth.User:{ada.pk}"),
    ):
        yield {"actor": f"auth.User:{ada.pk}", "verb": "say", "object": "o", **told, name: value}


def by_tags(ada: User, moment: Moment) -> Iterator[str]:
    request = RequestFactory().get(f"/?next={LINK}")
    request.user = ada
    context = {"asked": {"counts": True, "recent": True}, "person": moment.at}
    for source in TAGS.values():
        yield engines["django"].from_string("{% load django_stream %}" + source).render(context, request)


def by_json(ada: User, moment: Moment) -> Iterator[str]:
    api = APIClient()
    api.force_authenticate(ada)
    for address in (*JSON.values(), "/feeds/user/?limit=100"):
        for kind in ("whisper", "cheer"):
            answer = api.get(address.format(person=moment.at.pk, moment=moment.pk, kind=kind))
            assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), address
            yield json.dumps(answer.json())


def by_public(view: Any, ada: User) -> str:
    reader = lambda request: feeds.profile(ada, viewer=ada)  # noqa: E731
    body: str = view.as_view(reader=reader, limit=100, title=EVIL)(RequestFactory().get("/")).content.decode()
    return body


def test_tags(ada: User, poisoned: Moment) -> None:
    pages = [*by_tags(ada, poisoned)]
    assert [page for page in pages if acting(page)] == []
    everything = "".join(pages)
    assert "&lt;script&gt;x()&lt;/script&gt;" in everything
    assert "{{ 7|add:7 }}" in everything
    assert "wwww" not in everything, "what no template names is nowhere"


def test_json(ada: User, poisoned: Moment) -> None:
    answers = [*by_json(ada, poisoned)]
    assert any("<script>" in one for one in answers), "it is data, and is declared as such"


def test_atom(ada: User, poisoned: Moment) -> None:
    root = ElementTree.fromstring(by_public(AtomView, ada))
    atom = "{http://www.w3.org/2005/Atom}"
    links = [str(link.get("href")) for link in root.iter(f"{atom}link")]
    assert len(links) > 10
    assert [link for link in links if not link.startswith("http://")] == []
    summaries = [str(one.text) for one in root.iter(f"{atom}summary")]
    assert [one for one in summaries if acting(one)] == []
    titles = [str(one.text) for one in root.iter(f"{atom}title")][1:]
    assert [one for one in titles if any(mark in one for mark in TURNED)] == []


def test_json_feed(ada: User, poisoned: Moment) -> None:
    items = json.loads(by_public(JsonFeedView, ada))["items"]
    assert len(items) > 10
    assert [one for one in items if acting(one["content_html"])] == []
    links = [one.get("url") for item in items for one in (item, *item["authors"])]
    assert set(links) == {None}, "rows that lead to javascript: lead nowhere"
    assert [one for one in items if any(mark in one["title"] for mark in TURNED)] == []


def test_activity_streams(ada: User, poisoned: Moment) -> None:
    items = json.loads(by_public(ActivityStreamsView, ada))["orderedItems"]
    assert len(items) > 10
    for item in items:
        assert not acting(item["content"])
        things = [item, *(item[name] for name in ("actor", "object", "target") if name in item)]
        assert [one["url"] for one in things if "url" in one] == []
        assert not any(mark in str(one.get("name")) for one in things for mark in TURNED)


def test_digest(ada: User, poisoned: Moment, settings: Any) -> None:
    settings.STREAM_NOTIFICATIONS_BASE_URL = "https://example.com"
    User.objects.filter(pk=ada.pk).update(email="ada@example.com")
    ada.refresh_from_db()
    message = Digest(ada, since=timezone.now() - timedelta(days=9)).message()
    (html, _) = message.alternatives[0]
    assert acting(str(html).partition("<body")[2]) == []
    assert not any(mark in f"{message.subject}{message.body}{html}" for mark in TURNED)
    assert LINK not in str(message.body).replace(EVIL, "")


def test_who_turns_the_direction_of_text_turns_nothing_but_a_name(ada: User, poisoned: Moment) -> None:
    pages = [*by_tags(ada, poisoned)]
    assert any(TURNED in page for page in pages)
    for page in pages:
        parser = Acting()
        parser.feed(page)
        assert parser.not_isolated == []
