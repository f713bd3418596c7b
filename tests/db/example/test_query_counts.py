"""What each page of the example costs, pinned at two sizes; a page without a pin fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse

from example_project.social.models import Block, Comment, Follow, Like, Mute, Post
from example_project.social.urls import urlpatterns
from tests.extras import needs

pytestmark = [pytest.mark.django_db(transaction=True), needs("aggregation")]

# By the name of the address: all statements, for who is signed in and for visitors (None: sent to sign in).
Cost = tuple[int | None, int | None]
COSTS: dict[str, Cost] = {
    "home": (20, 5),
    "popular": (28, None),
    "summary": (20, None),
    "everyone": (19, 5),
    "notifications": (31, None),
    "preferences": (7, None),
    "people": (6, 1),
    "profile": (17, 10),
    "post": (10, 5),
    "pipeline": (47, None),
    "settings": (8, None),
    "login": (None, 0),
    "sign-up": (None, 0),
}


def grow(ada: User, count: int) -> None:
    """More of all that pages show: people, posts, likes, comments, mutes, blocks and requests."""
    mine = []
    for _ in range(count):
        number = User.objects.count()
        friend, stranger, muted, blocked = (
            User.objects.create(username=f"{kind}-{number}")
            for kind in ("friend", "stranger", "muted", "blocked")
        )
        Follow.objects.create(follower=ada, followed=friend)
        Follow.objects.create(follower=friend, followed=ada)
        Follow.objects.create(follower=stranger, followed=ada, is_accepted=False)
        Mute.objects.create(muter=ada, muted=muted)
        Block.objects.create(blocker=ada, blocked=blocked)
        for author in (ada, friend, muted):
            post = Post.objects.create(author=author, text=f"post {number}")
            Like.objects.create(user=friend, post=post)
            mine.append(friend)
    newest = Post.objects.create(author=ada, text="newest")
    for friend in mine:
        Comment.objects.create(user=friend, post=newest, text="yes")


def addresses(ada: User) -> Iterator[tuple[str, str]]:
    post = Post.objects.filter(author=ada).latest("pk")
    values = {"pk": post.pk, "username": "ada"}
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        names = pattern.pattern.converters
        yield str(pattern.name), reverse(str(pattern.name), kwargs={name: values[name] for name in names})


def costs_of_all(client: Client, ada: User) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for name, address in addresses(ada):
        # The first look at a grouped feed brings its groups up to date.
        if client.get(address).status_code == 405:
            continue
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        assert answer.status_code in {200, 302}, address
        found[name] = len(queries) if answer.status_code == 200 else None
    return found


def test_each_page_costs_the_same_however_much_it_shows(client: Client, ada: User) -> None:
    costs: list[dict[str, Cost]] = []
    for count in (12, 24):
        grow(ada, count)
        client.force_login(ada)
        client.get(
            reverse("notifications")
        )  # a badge costs more while something waits: see the tests of badges
        signed_in = costs_of_all(client, ada)
        client.logout()
        visiting = costs_of_all(client, ada)
        costs.append({name: (signed_in[name], visiting[name]) for name in signed_in})
    assert costs[0] == costs[1], "the cost grows with what is shown"
    assert costs[1].keys() == COSTS.keys()
    over = {name: cost for name, cost in costs[1].items() if not _is_pinned(cost, COSTS[name])}
    assert over == {}


def _is_pinned(cost: Cost, bound: Cost) -> bool:
    """Databases differ by one statement, where one of them locks what another reads."""
    pairs = zip(cost, bound, strict=True)
    return all(a == b if a is None or b is None else b - 1 <= a <= b for a, b in pairs)
