"""Whatever fails in the code of one row, pages, badges, e-mails, answers and commands tell of the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from django_stream import feeds
from django_stream.notifications import DigestReport, send_digests, set_digest
from django_stream.syndication import ActivityStreamsView, AtomView, JsonFeedView
from django_stream.tracking import drain, register_mutes
from tests.testapp.models import Article, Mute, Opinion, Subscription

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]

CODE = ("__str__", "get_absolute_url", "activity_should_publish", "activity_actor_attr", "is_public")
UNSHOWN = ("__str__", "activity_should_publish", "is_public")
"""Without these, nothing can be shown of a row, or nobody knows whether it may be shown."""


@pytest.fixture
def articles(ada: User, grace: User) -> dict[str, Article]:
    """Two, of which Grace is told in groups of their own; she has an opinion on both."""
    Subscription.objects.create(reader=grace, writer=ada)
    User.objects.filter(pk=grace.pk).update(email="grace@example.com")
    grace.refresh_from_db()
    set_digest(grace, "daily")
    made = {}
    for day, title in enumerate(("good", "bad")):
        moment = timezone.now() - timedelta(days=2 * day)
        made[title] = Article.objects.create(author=ada, title=title, published_at=moment)
        made[title].mentioned.add(grace)
        Opinion.objects.create(user=grace, article=made[title], text=title)
    drain()
    return made


@pytest.fixture(params=CODE)
def broken(request: pytest.FixtureRequest, articles: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of what raises for the bad article, and works for the good one."""
    name: str = request.param
    before = {"__str__": Article.__str__, "get_absolute_url": lambda row: f"/{row.pk}/"}
    read = before.get(name) or getattr(getattr(Article, name), "fget", None) or (lambda row: True)

    def told(row: Article) -> Any:
        if row.__dict__.get("title") == "bad":
            raise LookupError("on purpose")
        return read(row)

    # The value of the column that `should_publish` names is set by the row's own class, too.
    own = told if name in before else property(told, lambda row, value: None)
    monkeypatch.setattr(Article, name, own, raising=False)
    return name


def is_left_out(broken: str, *, where_many_are_hidden: bool = False) -> bool:
    return broken in UNSHOWN or (where_many_are_hidden and broken == "activity_actor_attr")


def titles(page: Any) -> list[str]:
    return sorted(one["object"].title for one in page)


@pytest.mark.parametrize("hides_somebody", [False, True], ids=["nobody hidden", "somebody hidden"])
def test_pages_and_badges(broken: str, hides_somebody: bool, grace: User, make_user: Any) -> None:
    if hides_somebody:
        register_mutes(Mute, by="by", of="of")
        Mute.objects.create(by=grace, of=make_user("other"))
    gone = broken != "__str__" and is_left_out(broken, where_many_are_hidden=hides_somebody)
    left = ["good"] if gone else ["bad", "good"]

    assert titles(feeds.timeline(grace).page()) == left
    assert feeds.unseen(grace) == len(left)
    assert titles(group["activities"][0] for group in feeds.notifications(grace).page()) == left


def test_templates(broken: str, grace: User, articles: dict[str, Article]) -> None:
    request = RequestFactory().get("/")
    request.user = grace
    source = '{% load django_stream %}{% stream_feed "timeline" as page %}{% render_feed page %}'
    html = engines["django"].from_string(source + "{% notification_badge %}").render({}, request)

    assert "good" in html
    assert html.count("<article") == 1 + (not is_left_out(broken))


def test_json(broken: str, grace: User) -> None:
    api = APIClient()
    api.force_login(grace)
    number = 1 + (not is_left_out(broken))
    for address in ("timeline/", "me/notifications/"):
        assert len(api.get(f"/feeds/{address}").json()["results"]) == number, address


@pytest.mark.parametrize("view", [AtomView, JsonFeedView, ActivityStreamsView])
def test_syndication(broken: str, view: Any, ada: User, rf: RequestFactory) -> None:
    answer = view.as_view(reader=lambda request: feeds.profile(ada), title="News")(rf.get("/"))
    assert answer.status_code == 200
    assert b"ada publish good" in answer.content


def test_digests(broken: str, grace: User) -> None:
    assert send_digests() == DigestReport(sent=1)
    (message,) = mail.outbox
    assert "good" in message.body
    assert ("bad" in message.body) is not is_left_out(broken)


def test_a_digest_of_which_nothing_can_be_told_is_none(articles: dict[str, Article], broken: str) -> None:
    articles["good"].delete()
    drain()
    sent = not is_left_out(broken)
    assert send_digests() == DigestReport(sent=sent, empty=not sent)


def test_reactions_to_a_row(broken: str, articles: Any, grace: User, settings: Any) -> None:
    settings.STREAM_API_REACTIONS = ["opinion"]
    api = APIClient()
    api.force_login(grace)
    statuses = [
        api.get(f"/feeds/reactions/opinion/testapp.Article/{articles[name].pk}/").status_code
        for name in ("good", "bad")
    ]
    assert statuses == [200, 404 if broken in ("activity_should_publish", "is_public") else 200]


COMMANDS: dict[str, Callable[[Any], list[Any]]] = {
    "stream_verify": lambda rows: [],
    "stream_repair": lambda rows: [],
    "stream_doctor": lambda rows: [],
    "stream_sync": lambda rows: [],
    "stream_compare": lambda rows: [],
    "stream_backfill": lambda rows: ["testapp.Article"],
    "stream_explain": lambda rows: [f"testapp.Article:{rows['bad'].pk}", "--feed", "timeline:1"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name: str, broken: str, articles: dict[str, Article]) -> None:
    with suppress(CommandError):  # which says what it could not do
        call_command(name, *COMMANDS[name](articles))


def test_the_archive_of_a_person(broken: str, ada: User, articles: Any, tmp_path: Path) -> None:
    call_command("stream_person", "export", str(ada.pk), str(tmp_path / "ada.zip"))
    assert (tmp_path / "ada.zip").stat().st_size


@pytest.mark.parametrize("action", ["explain_in_feed", "publish_to_feeds", "remove_from_feeds"])
def test_admin_actions(action: str, broken: str, articles: dict[str, Article], admin_client: Any) -> None:
    data = {"action": action, "_selected_action": [row.pk for row in articles.values()], "feed": "timeline:1"}
    assert admin_client.post("/admin/testapp/article/", data).status_code in (200, 302)
