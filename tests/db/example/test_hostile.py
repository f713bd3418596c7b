"""Whatever strangers write into any field, and whatever stands in the feeds, the pages stay harmless."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_stream.feeds import feed_manager
from example_project.social.models import PUBLIC_FEED, Comment, Follow, Like, Post
from tests.db.example.conftest import html_of
from tests.extras import needs

pytestmark = [pytest.mark.django_db(transaction=True), needs("aggregation")]

SCRIPT = "<script>window.hacked=1</script>\" onmouseover='x' {{ 7|add:7 }} javascript:alert(2) \u202e\u200f\0"
TEXT = SCRIPT.replace("\0", "") + ' http://a.example/"><b>'
RAW = ("<script>w", "<i>", 'href="javascript', "/><b>", "<img src=x", " onmouseover='x'", 'src="javascript')


def poison(ada: User, grace: User) -> tuple[Post, Post]:
    """Hostile words in every field of every model, and hostile items in the feeds."""
    User.objects.filter(pk=grace.pk).update(first_name="<i>Grace</i>", last_name='"><img src=x>\u202e')
    grace.refresh_from_db()
    Follow.objects.create(follower=ada, followed=grace)
    Follow.objects.create(follower=grace, followed=ada)
    fields = {
        "text": TEXT,
        "image": 'javascript:alert(1)//"><i>',
        "image_alt": TEXT,
        "preview": {"title": TEXT, "description": TEXT, "site_name": TEXT, "url": "javascript:alert(3)"},
    }
    theirs, mine = (Post.objects.create(author=one, **fields) for one in (grace, ada))
    Post.objects.create(author=grace, text=TEXT, preview={"title": ["x"], "url": 7})
    Post.objects.create(
        author=grace, text="w" * 500, preview={"title": TEXT, "url": "https://x.example/\"'<i>"}
    )
    Like.objects.create(user=grace, post=mine)
    Comment.objects.create(user=grace, post=mine, text=TEXT[:300])
    client = feed_manager.client
    for feed in (PUBLIC_FEED, f"timeline:{ada.pk}", f"user:{grace.pk}", f"notification:{ada.pk}"):
        for verb, thing in (
            ("<script>w", "nothing"),
            ("post", "social.Post:999999"),
            ("like", f"auth.User:{grace.pk}"),
            ("follow", "x" * 200),
            ("../../etc", "<script>w"),
            ("\u202eunknown", f"social.Post:{mine.pk}"),
        ):
            for actor in (f"auth.User:{grace.pk}", "auth.User:999999", "<script>w", f"social.Post:{mine.pk}"):
                client.feed(*feed.split(":")).add_activity(
                    {"actor": actor, "verb": verb, "object": thing, "note": TEXT}
                )
    return theirs, mine


def test_no_page_carries_anything_that_could_act(site: Client, ada: User, grace: User) -> None:
    theirs, mine = poison(ada, grace)
    paths = [
        "/",
        "/popular/",
        "/summary/",
        "/everyone/",
        "/people/",
        "/people/?q=%3Ci%3E%22",
        "/people/grace/",
        "/people/grace/?order=popular",
        f"/posts/{theirs.pk}/",
        f"/posts/{mine.pk}/",
        f"/posts/{mine.pk}/pipeline/",
        "/notifications/",
        "/settings/",
    ]
    for path in paths:
        html = html_of(site, path)
        for raw in RAW:
            assert raw not in html, (path, raw)
    assert "&lt;script&gt;window.hacked=1&lt;/script&gt;" in html_of(site, "/")
    assert "{{ 7|add:7 }}" in html_of(site, "/")
    assert "&lt;i&gt;Grace&lt;/i&gt;" in html_of(site, "/notifications/")


def test_every_answer_forbids_scripts_and_styles_inside_the_page(site: Client) -> None:
    for path in ("/", "/nowhere/", "/sign-in/"):
        policy = site.get(path)["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        html = site.get("/").content.decode()
        assert " style=" not in html
        assert "<script>" not in html
