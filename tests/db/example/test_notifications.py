"""Notifications of the example site: dismissed, wanted or not, by e-mail; page and badge agree throughout."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.test import Client

from django_stream import feeds, notifications
from example_project.social.models import Comment, Follow, Like
from tests.db.example.conftest import html_of, write
from tests.db.example.test_pages import load_demo
from tests.extras import needs

pytestmark = [pytest.mark.django_db(transaction=True), needs("aggregation")]

BADGE = '<b class="badge">{}<'
WANTED = {
    f"{verb}_{where}": "on" for verb in ("like", "comment", "follow") for where in ("in_feed", "by_email")
}


@pytest.fixture
def told(ada: User, grace: User) -> None:
    """Grace has liked, and answered, a post of Ada, and follows her."""
    (post,) = write(ada, 1)
    Like.objects.create(user=grace, post=post)
    Comment.objects.create(user=grace, post=post, text="Well said")
    Follow.objects.create(follower=grace, followed=ada)


def verbs(site: Client) -> list[str]:
    return sorted(one["verb"] for one in site.get("/notifications/").context["page"])


def prefer(site: Client, **fields: str) -> Any:
    return site.post("/preferences/", {"digest": "off", **fields})


def test_a_window_that_is_open_marks_nothing_by_itself(site: Client, ada: User, told: None) -> None:
    assert len(site.get("/notifications/", headers={"X-Stream-Background": "look"}).context["page"]) == 3
    assert feeds.unseen(ada) == 3
    assert len(site.get("/notifications/").context["page"]) == 3
    assert feeds.unseen(ada) == 0


def test_one_is_dismissed(site: Client, ada: User, told: None) -> None:
    group = next(one for one in feeds.notifications(ada).page() if one["verb"] == "like")
    assert BADGE.format(3) in html_of(site, "/")

    answer = site.post("/notifications/dismiss/", {"group": group["id"]})

    assert answer["Location"] == "/notifications/"
    assert BADGE.format(2) in html_of(site, "/")
    assert verbs(site) == ["comment", "follow"]


def test_all_are_dismissed_and_what_is_new_comes(site: Client, ada: User, grace: User, told: None) -> None:
    site.post("/notifications/dismiss/")

    assert '<b class="badge">' not in html_of(site, "/")
    html = html_of(site, "/notifications/")
    assert "No news" in html
    assert "Dismiss all" not in html
    Like.objects.create(user=grace, post=write(ada, 1)[0])
    assert BADGE.format(1) in html_of(site, "/")
    assert verbs(site) == ["like"]


def test_what_somebody_joined_meanwhile_stays(site: Client, ada: User, make_user: Any, told: None) -> None:
    group = next(one for one in feeds.notifications(ada).page() if one["verb"] == "like")
    Like.objects.create(user=make_user("mary"), post=ada.posts.get())  # type: ignore[attr-defined]

    answer = site.post("/notifications/dismiss/", {"group": group["id"]}, follow=True)

    assert "It has changed since you looked, and stays." in answer.content.decode()
    assert verbs(site) == ["comment", "follow", "like"]


@pytest.mark.parametrize("group", ["nonsense", "a,b", "../x", "\0", "x" * 5000])
def test_a_strange_notification_is_not_dismissed(site: Client, told: None, group: str) -> None:
    assert site.post("/notifications/dismiss/", {"group": group})["Location"] == "/notifications/"
    assert verbs(site) == ["comment", "follow", "like"]


def test_what_is_not_wanted_is_neither_shown_nor_counted(site: Client, told: None) -> None:
    unticked = {name: value for name, value in WANTED.items() if name != "like_in_feed"}
    assert prefer(site, **unticked)["Location"] == "/preferences/"

    assert BADGE.format(2) in html_of(site, "/")
    assert verbs(site) == ["comment", "follow"]
    assert 'name="like_in_feed" id="id_like_in_feed">' in html_of(site, "/preferences/")

    prefer(site, **WANTED)
    assert verbs(site) == ["comment", "follow", "like"]


@pytest.mark.parametrize("wrong", [{"digest": "hourly"}, {"email": "nowhere"}, {"digest": ""}])
def test_what_cannot_be_chosen_changes_nothing(site: Client, ada: User, wrong: dict[str, str]) -> None:
    answer = prefer(site, **wrong)

    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert notifications.preferences(ada) == notifications.Preferences({}, "off")


def test_an_e_mail_speaks_as_the_site_does_and_ends_by_its_link(
    site: Client, client: Client, ada: User, grace: User, told: None
) -> None:
    User.objects.filter(pk=grace.pk).update(first_name="Grace", last_name="<Lind>")
    wanted = {name: value for name, value in WANTED.items() if name != "comment_by_email"}
    prefer(site, **wanted, digest="daily", email="ada@example.com")
    call_command("stream_digests")

    (message,) = mail.outbox
    assert message.to == ["ada@example.com"]
    assert "Grace <Lind> liked your post: number 0" in message.body
    assert "Grace <Lind> follows you" in message.body
    html = str(message.alternatives[0][0])  # type: ignore[attr-defined]
    assert "<b>Grace &lt;Lind&gt;</b> liked your post" in html
    assert "<b>Grace &lt;Lind&gt;</b> follows you" in html
    assert "<form" not in html
    assert "comment" not in message.body + html
    assert BADGE.format(3) in html_of(site, "/"), "an e-mail marks nothing as seen"

    (link,) = re.findall(r"https://example\.com(\S+unsubscribe\S+)", message.body)
    page = Client(enforce_csrf_checks=True)
    asked = page.get(urlsplit(link).path)
    assert "social/brook.css" in asked.content.decode()
    assert "default-src 'self'" in asked["Content-Security-Policy"]
    assert notifications.preferences(ada).digest == "daily"
    assert "You will get none any more." in page.post(link).content.decode()
    assert notifications.preferences(ada).digest == "off"


def test_the_guide_of_the_demo_gets_an_e_mail(settings: Any) -> None:
    settings.DEBUG = True
    load_demo()
    call_command("stream_digests")

    (message,) = mail.outbox
    assert message.to == ["ada@example.com"]
    assert "liked your post" in message.body
