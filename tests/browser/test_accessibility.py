"""axe-core finds nothing wrong on any page of the example site, for visitors and for who is signed in."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User

from django_stream.notifications import unsubscribe_url
from example_project.social.models import Block, Comment, Follow, Like, Mute, Post
from tests.browser.test_example_site import Site, people, site

# Of this package, only the script is used.
SCRIPT = find_spec("axe_playwright_python")

__all__ = ["people", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.skipif(SCRIPT is None, reason="axe-core is not installed")]

PAGES = (
    "/",
    "/popular/",
    "/summary/",
    "/everyone/",
    "/people/",
    "/people/?q=nobody",
    "/people/grace/",
    "/people/ada/?order=popular",
    "/notifications/",
    "/preferences/",
    "/people/quiet/",
    "/posts/{pk}/",
    "/posts/{pk}/pipeline/",
    "/settings/",
    "/nowhere/",
)


@pytest.fixture
def posts(people: dict[str, User]) -> list[Post]:
    ada, grace = people["ada"], people["grace"]
    Follow.objects.create(follower=ada, followed=grace)
    posts = [Post.objects.create(author=one, text=f"post {n}") for n in range(12) for one in (ada, grace)]
    for post in posts[:6]:
        Like.objects.create(user=grace if post.author == ada else ada, post=post)
    Comment.objects.create(user=grace, post=posts[0], text="Well said")
    Post.objects.filter(pk=posts[0].pk).update(
        image="/static/social/brook.svg",
        image_alt="Three waves",
        preview={"title": "A page", "description": "It tells", "url": "https://example.org/"},
    )
    Follow.objects.create(follower=grace, followed=ada, is_accepted=False)
    User.objects.create(username="quiet")
    for model, by, of in ((Mute, "muter", "muted"), (Block, "blocker", "blocked")):
        person = User.objects.create(username=by, first_name=by)
        model.objects.create(**{by: ada, of: person})
    return posts


def violations(site: Site) -> list[tuple[str, Any]]:
    assert SCRIPT is not None
    # What is folded away is on the page, too.
    site.browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    site.browser.execute_script(Path(str(SCRIPT.origin)).with_name("axe.min.js").read_text())
    found: Any = site.browser.execute_async_script("axe.run().then(arguments[0])")
    assert found["passes"], "axe has looked"
    return [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_no_page_keeps_anybody_out(site: Site, posts: list[Post], size: str, scheme: str) -> None:
    site.look(size, scheme)
    found = {}
    for path in ("/", "/sign-in/", "/sign-up/", "/people/", "/people/ada/", f"/posts/{posts[0].pk}/"):
        site.open(path)
        found[f"visitor {path}"] = violations(site)
    site.browser.get(site.address + urlsplit(unsubscribe_url(posts[0].author)).path)
    found["visitor unsubscribe"] = violations(site)
    site.press("Send me no more")
    found["visitor unsubscribed"] = violations(site)
    site.sign_in("ada")
    for path in PAGES:
        site.open(path.format(pk=posts[0].pk))
        found[path] = violations(site)
    site.browser.get_log("browser")  # type: ignore[attr-defined]  # that /nowhere/ is a 404

    assert {path: one for path, one in found.items() if one} == {}
