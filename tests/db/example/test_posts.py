"""What a post shows: an image with words, a preview of a link, comments, its popularity, and its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from django_stream.server.handlers import opengraph
from django_stream.server.opengraph.fetching import fetch
from example_project.social.models import Comment, Follow, Like, Post
from tests.db.example.conftest import html_of, write
from tests.db.server.opengraph.web import Web, serving
from tests.extras import needs

pytestmark = [pytest.mark.django_db(transaction=True), needs("aggregation")]


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Another site, on this machine, which the fetcher may reach besides the public internet."""
    cache.clear()
    with serving() as running:
        monkeypatch.setattr(opengraph, "fetch", partial(fetch, rules=running.rules()))
        yield running


def picture() -> SimpleUploadedFile:
    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (1600, 20), (10, 20, 30)).save(file, "PNG")
    return SimpleUploadedFile("photo.png", file.getvalue())


@needs("images")
def test_an_image_is_kept_made_smaller_and_shown_with_its_words(
    site: Client, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    told = {"text": "Look", "image_alt": 'A "dark" bar'}

    site.post("/posts/", {**told, "photo": picture()})

    post = Post.objects.get()
    assert f'<img class="photo" src="{post.image}" alt="A &quot;dark&quot; bar"' in html_of(site, "/")
    answer = site.get(post.image)
    assert answer["Content-Type"] == "image/png"
    from PIL import Image

    assert Image.open(BytesIO(b"".join(answer.streaming_content))).size == (1200, 15)


@needs("images")
@pytest.mark.parametrize(
    ("alt", "content", "told"),
    [("", b"", "Say in a few words"), ("a page", b"<svg onload='x'></svg>", "This image cannot be used")],
)
def test_an_image_without_words_or_that_is_none_is_refused(
    site: Client, settings: Any, tmp_path: Path, alt: str, content: bytes, told: str
) -> None:
    settings.MEDIA_ROOT = tmp_path
    photo = SimpleUploadedFile("photo.png", content) if content else picture()

    answer = site.post("/posts/", {"text": "Look", "image_alt": alt, "photo": photo})

    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Post.objects.exists()


@needs("opengraph")
def test_a_link_is_looked_at_once_when_it_is_posted(site: Client, web: Web) -> None:
    url = web.html("/story", "<meta property='og:title' content='A <b>story</b>'>")

    site.post("/posts/", {"text": f"Read this: {url}."})

    assert Post.objects.get().preview == {"title": "A <b>story</b>", "url": url}
    for _ in range(2):
        html = html_of(site, "/")
        assert f'<a class="preview" href="{url}"' in html
        assert "A &lt;b&gt;story&lt;/b&gt;" in html
    assert web.asked == ["/story"]


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:1/", "http://[", "javascript:alert(1)", "ftp://x.example/"]
)
def test_a_link_that_cannot_be_looked_at_has_no_preview(site: Client, link: str) -> None:
    site.post("/posts/", {"text": f"Read this: {link}"})

    assert Post.objects.get().preview == {}
    assert 'class="preview"' not in html_of(site, "/")


def test_comments_are_counted_told_and_taken_back(site: Client, ada: User, grace: User) -> None:
    (post,) = write(ada, 1)
    other = Client()
    other.force_login(grace)
    assert other.post(f"/posts/{post.pk}/comment/", {"text": " "}).status_code == 400

    other.post(f"/posts/{post.pk}/comment/", {"text": "Well said"})

    comment = Comment.objects.get()
    assert "Comments on the post by ada: </span>1" in html_of(site, "/everyone/")
    assert "Well said" in html_of(site, f"/posts/{post.pk}/")
    assert "commented on your post" in html_of(site, "/notifications/")
    assert site.post(f"/comments/{comment.pk}/delete/").status_code == 404
    other.post(f"/comments/{comment.pk}/delete/")
    assert "Comments on the post by ada: </span>0" in html_of(site, "/everyone/")
    assert "commented on your post" not in html_of(site, "/notifications/")


def test_popular_posts_come_first_at_home_and_on_profiles(
    site: Client, ada: User, grace: User, make_user: Callable[[str], User]
) -> None:
    Follow.objects.create(follower=ada, followed=grace)
    old, new = write(grace, 2, "post {}")
    Post.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=2))
    for name in ("mary", "jean", "karen"):
        other = Client()
        other.force_login(make_user(name))
        other.post(f"/posts/{old.pk}/like/")
        other.post(f"/posts/{old.pk}/comment/", {"text": "yes"})
    assert Post.objects.get(pk=old.pk).popularity == 7

    def order(path: str) -> list[str]:
        page = site.get(path).context["page"]
        return [one["object"].text for one in page if one["verb"] == "post"]

    assert order("/") == order("/people/grace/") == [new.text, old.text]
    assert order("/popular/") == order("/people/grace/?order=popular") == [old.text, new.text]


def test_likes_of_several_people_are_one_entry_of_the_summary(
    site: Client, ada: User, grace: User, make_user: Callable[[str], User]
) -> None:
    (post,) = write(grace, 1)
    for name in ("mary", "jean", "karen", "radia", "ann"):
        fan = make_user(name)
        Follow.objects.create(follower=ada, followed=fan)
        Like.objects.create(user=fan, post=post)

    html = " ".join(html_of(site, "/summary/").split())

    assert ">ann</a> and 4 others liked a post" in html
    assert html.count("liked a post") == 1


def test_notifications_are_read_one_by_one_or_all_at_once(
    site: Client, ada: User, grace: User, make_user: Callable[[str], User]
) -> None:
    for post in write(ada, 3):
        Like.objects.create(user=grace, post=post)
    groups = [one["id"] for one in site.get("/notifications/").context["page"]]
    assert html_of(site, "/notifications/").count("Mark as read") == 3

    site.post("/notifications/read/", {"group": groups[0]})
    assert html_of(site, "/notifications/").count("Mark as read") == 2
    assert site.post("/notifications/read/", {"group": "a,b\0"}).status_code == 302
    site.post("/notifications/read/")

    html = html_of(site, "/notifications/")
    assert "Mark as read" not in html
    assert "Mark all as read" not in html


def test_the_way_of_a_post_is_for_its_author(site: Client, ada: User, grace: User) -> None:
    Follow.objects.create(follower=grace, followed=ada)
    (theirs,) = write(grace, 1)
    (mine,) = write(ada, 1)

    html = html_of(site, f"/posts/{mine.pk}/pipeline/")

    assert "Nothing waits." in html
    assert html.count("it is in the feed: entry 1") == 3
    assert f"this feed follows user:{ada.pk}" in html
    assert site.get(f"/posts/{theirs.pk}/pipeline/").status_code == 404
