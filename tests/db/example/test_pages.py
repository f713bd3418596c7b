"""Pages of the example site: all render, at a fixed cost, and buttons change what the timelines show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from django_stream.models import OutboxEntry
from django_stream.publishing.models import never
from example_project.history.models import Commit
from example_project.social.models import Follow, Like, Post
from tests.db.example.conftest import html_of, write
from tests.extras import needs

pytestmark = [pytest.mark.django_db(transaction=True), needs("aggregation")]

# Showing


def test_visitors_see_what_everyone_posts(client: Client, ada: User, grace: User) -> None:
    write(ada, 1, "from ada")
    write(grace, 1, "from grace")

    html = html_of(client, "/")

    assert "from ada" in html
    assert "from grace" in html
    assert "/sign-in/" in html
    assert "<textarea" not in html


def test_every_page_renders_when_there_is_nothing(site: Client) -> None:
    assert "It is quiet here" in html_of(site, "/")
    assert "Nobody has said anything yet" in html_of(site, "/everyone/")
    assert "No news" in html_of(site, "/notifications/")
    assert "Nobody else is here yet" in html_of(site, "/people/")
    assert "Write your first post" in html_of(site, "/people/ada/")


def test_every_page_renders_for_visitors_too(client: Client, ada: User) -> None:
    (post,) = write(ada, 1)

    for path in (
        "/",
        "/everyone/",
        "/people/",
        "/people/ada/",
        f"/posts/{post.pk}/",
        "/sign-in/",
        "/sign-up/",
    ):
        html = html_of(client, path)
        assert "<h1" in html
        assert "Sign out" not in html
    for path in ("/notifications/", "/preferences/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"] == f"/sign-in/?next={path}"


def test_each_verb_has_its_own_look(site: Client, ada: User, grace: User) -> None:
    Follow.objects.create(follower=ada, followed=grace)
    (post,) = write(grace, 1, "a post of grace")
    Like.objects.create(user=grace, post=post)
    Commit.objects.create(
        sha="0123456789ab",
        author=grace,
        time=timezone.now(),
        subject="Fix <it>",
        areas=["core", "docs"],
        files=2,
    )

    html = html_of(site, "/")

    assert '<div class="text" dir="auto">a post of grace</div>' in html
    assert "liked a post" in html
    assert "Fix &lt;it&gt;" in html
    assert "<code>01234567</code>" in html
    assert '<span class="tag">docs</span>' in html
    assert "2 files" in html


def test_likes_of_a_post_are_one_entry_of_its_authors_news(
    site: Client, ada: User, make_user: Callable[[str], User]
) -> None:
    first, second = write(ada, 2)
    for name in ("grace", "mary"):
        Like.objects.create(user=make_user(name), post=first)
    for name in ("jean", "karen", "radia"):
        Like.objects.create(user=make_user(name), post=second)
    assert '<b class="badge">2' in html_of(site, "/")

    html = " ".join(html_of(site, "/notifications/").split())

    assert html.count('class="crowd"') == 2
    assert ">radia</a> and 2 others liked your post" in html
    assert ">mary</a> and <a" in html
    assert '<b class="badge">2' not in html_of(site, "/")


def test_a_username_may_be_a_mail_address(client: Client, make_user: Callable[[str], User]) -> None:
    client.force_login(make_user("me+you@mail.example"))

    assert "me+you@mail.example" in html_of(client, "/")
    assert "@me+you@mail.example" in html_of(client, "/people/me+you@mail.example/")


def test_older_pages_are_reached_by_a_cursor(site: Client, ada: User) -> None:
    write(ada, 45)
    seen: list[str] = []
    path = "/"
    for _ in range(3):
        answer = site.get(path)
        page = answer.context["page"]
        seen += [activity["object"].text for activity in page]
        path = f"/?cursor={page.next}"

    assert seen == [f"number {number}" for number in reversed(range(45))]
    assert page.next is None
    assert 'rel="next"' not in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    ["/?cursor=nonsense", "/posts/999/", "/people/nobody/", "/nowhere/", "/people/%00/", "/people/a%00b/"],
)
def test_what_is_not_there_is_said_kindly(site: Client, path: str) -> None:
    answer = site.get(path)

    assert answer.status_code == 404
    assert "Nothing flows here" in answer.content.decode()


def test_an_error_has_a_page_of_its_own(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the feeds are away")

    monkeypatch.setattr("example_project.social.views.streams.feeds.timeline", broken)
    site.raise_request_exception = False

    answer = site.get("/")

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


# Doing


def test_following_fills_the_timeline_and_unfollowing_empties_it(
    site: Client, ada: User, grace: User
) -> None:
    write(grace, 1, "said before")
    assert "said before" not in html_of(site, "/")

    assert site.post("/people/grace/follow/")["Location"] == "/people/grace/"
    assert "said before" in html_of(site, "/")
    write(grace, 1, "said after")
    assert "said after" in html_of(site, "/")
    site.post("/people/grace/follow/")
    assert Follow.objects.count() == 1

    site.post("/people/grace/follow/", {"stop": "1"})

    assert "said" not in html_of(site, "/")
    assert not Follow.objects.exists()


def test_nobody_follows_oneself(site: Client) -> None:
    assert site.post("/people/ada/follow/").status_code == 404
    assert not Follow.objects.exists()


def test_a_post_appears_at_home_and_with_the_followers(
    site: Client, client: Client, ada: User, grace: User
) -> None:
    Follow.objects.create(follower=grace, followed=ada)

    answer = site.post("/posts/", {"text": "  Hello, world  "}, follow=True)

    assert answer.redirect_chain == [("/", 302)]
    assert "Posted, and on its way" in answer.content.decode()
    assert '<div class="text" dir="auto">Hello, world</div>' in answer.content.decode()
    client.force_login(grace)
    assert '<div class="text" dir="auto">Hello, world</div>' in html_of(client, "/")


@pytest.mark.parametrize("text", ["", "   ", "x" * 501, "a\0b"])
def test_a_post_that_is_refused_can_be_mended(site: Client, text: str) -> None:
    answer = site.post("/posts/", {"text": text})

    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not Post.objects.exists()


def test_a_like_is_counted_shown_and_taken_back(site: Client, ada: User, grace: User) -> None:
    (post,) = write(grace, 1)
    pressed = 'aria-pressed="true"'

    site.post(f"/posts/{post.pk}/like/")
    site.post(f"/posts/{post.pk}/like/")

    assert Like.objects.count() == 1
    assert pressed in html_of(site, "/everyone/")
    assert "liked a post" in html_of(site, "/people/ada/")

    site.post(f"/posts/{post.pk}/like/", {"stop": "1"})

    assert pressed not in html_of(site, "/everyone/")
    assert "liked a post" not in html_of(site, "/people/ada/")
    assert not Like.objects.exists()


def test_a_deleted_post_leaves_every_page(site: Client, ada: User, grace: User) -> None:
    (post,) = write(ada, 1, "too hasty")
    Follow.objects.create(follower=grace, followed=ada)
    Like.objects.create(user=grace, post=post)

    site.post(f"/posts/{post.pk}/delete/")

    for path in ("/", "/everyone/", "/people/ada/", "/people/grace/", "/notifications/"):
        assert "too hasty" not in html_of(site, path)
    assert not Like.objects.exists()


def test_only_the_author_deletes_a_post(site: Client, grace: User) -> None:
    (post,) = write(grace, 1)

    assert site.post(f"/posts/{post.pk}/delete/").status_code == 404
    assert Post.objects.filter(pk=post.pk).exists()


# Refusing

ACTIONS = [
    "/posts/",
    "/posts/{pk}/like/",
    "/posts/{pk}/comment/",
    "/posts/{pk}/delete/",
    "/people/grace/follow/",
    "/people/grace/mute/",
    "/people/grace/block/",
    "/notifications/read/",
    "/notifications/dismiss/",
]


@pytest.mark.parametrize("path", ACTIONS)
def test_reading_an_action_changes_nothing(site: Client, ada: User, grace: User, path: str) -> None:
    (post,) = write(ada, 1)

    assert site.get(path.format(pk=post.pk)).status_code == 405
    assert Post.objects.count() == 1
    assert not Like.objects.exists()
    assert not Follow.objects.exists()


@pytest.mark.parametrize("path", ACTIONS)
def test_visitors_are_asked_to_sign_in_and_come_back_to_the_page(
    client: Client, ada: User, grace: User, path: str
) -> None:
    (post,) = write(ada, 1)

    answer = client.post(path.format(pk=post.pk), {"text": "x", "next": "/people/ada/"})

    assert answer["Location"] == "/sign-in/?next=/people/ada/"
    assert Post.objects.count() == 1
    assert not Like.objects.exists()
    assert not Follow.objects.exists()


@pytest.mark.parametrize("path", ACTIONS)
def test_a_request_forged_elsewhere_is_refused(ada: User, grace: User, path: str) -> None:
    (post,) = write(ada, 1)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)

    assert browser.post(path.format(pk=post.pk), {"text": "x"}).status_code == 403
    assert Post.objects.count() == 1


@pytest.mark.parametrize(
    "origin", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_a_button_never_leads_to_another_site(site: Client, grace: User, origin: str) -> None:
    (post,) = write(grace, 1)

    liked = site.post(f"/posts/{post.pk}/like/", {"next": origin})
    followed = site.post("/people/grace/follow/", {"next": origin})

    assert liked["Location"] == f"/posts/{post.pk}/"
    assert followed["Location"] == "/people/grace/"


def test_a_button_leads_back_to_its_own_page(site: Client, grace: User) -> None:
    (post,) = write(grace, 1)

    answer = site.post(f"/posts/{post.pk}/like/", {"next": "/everyone/?cursor=1#activity-2"})

    assert answer["Location"] == "/everyone/?cursor=1#activity-2"


# The admin


@pytest.mark.parametrize("name", ["post", "follow", "like"])
def test_the_admin_publishes_rows_again(site: Client, ada: User, grace: User, name: str) -> None:
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
    (post,) = write(ada, 1)
    rows = {
        "post": post,
        "follow": Follow.objects.create(follower=ada, followed=grace),
        "like": Like.objects.create(user=grace, post=post),
    }
    chosen = {"action": "publish_to_feeds", "_selected_action": rows[name].pk}

    answer = site.post(f"/admin/social/{name}/", chosen, follow=True)

    assert "1 row is on its way to the feeds." in answer.content.decode()


# The demo


def load_demo() -> str:
    out = StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue()


def test_the_demo_is_loaded_once_and_then_left_alone(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    assert "10 people, 34 posts, 43 follows" in load_demo()
    assert client.post("/sign-in/", {"username": "ada", "password": "demo"})["Location"] == "/"
    html = html_of(client, "/")
    assert "committed" in html
    assert "liked a post" in html
    assert "The sourdough finally has an ear." in html
    client.post("/people/mateo/follow/", {"stop": "1"})
    before = [model.objects.count() for model in (User, Post, Follow, Like, Commit)]

    assert "here already" in load_demo()

    assert [model.objects.count() for model in (User, Post, Follow, Like, Commit)] == before
    assert not Follow.objects.filter(follower__username="ada", followed__username="mateo").exists()


def test_the_demo_says_when_its_content_has_not_arrived(settings: Any) -> None:
    settings.DEBUG = True
    # No post of the demo has this key: one that had it would be sent anew, and take the entry with it.
    OutboxEntry.objects.create(
        model_label="social.Post", object_key="none", parked_at=timezone.now(), due_at=never()
    )
    errors = StringIO()

    call_command("load_demo", stdout=StringIO(), stderr=errors)

    assert errors.getvalue() == "Still in the outbox: 1; /admin/ tells why.\n"


def test_the_demos_posts_lie_in_the_past(settings: Any) -> None:
    settings.DEBUG = True
    load_demo()

    now = timezone.now()
    times = list(Post.objects.values_list("created_at", flat=True))
    assert now - timedelta(days=7) < min(times) < now - timedelta(days=5)
    assert max(times) < now
    assert not Like.objects.filter(created_at__gte=now).exists()


def test_the_demos_known_password_stays_out_of_production(client: Client) -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        load_demo()

    assert not User.objects.exists()
    assert "Or be somebody from the demo" not in html_of(client, "/sign-in/")


def test_the_demos_people_are_one_click_away_while_developing(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    load_demo()

    html = html_of(client, "/sign-in/?next=/people/")

    assert html.count('name="password" value="demo"') == 10
    assert html.count('name="next" value="/people/"') == 11


@pytest.mark.parametrize("headers", [{"X-Stream-Background": "look"}, {"Sec-Purpose": "prefetch;prerender"}])
def test_a_message_waits_until_somebody_looks(site: Client, headers: Any) -> None:
    site.post("/posts/", {"text": "Hello"})
    told = "Posted, and on its way"
    assert told not in site.get("/", headers=headers).content.decode()
    assert told in html_of(site, "/")
    assert told not in html_of(site, "/")
