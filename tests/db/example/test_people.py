"""Who sees whom: private accounts, requests that wait, mutes, blocks, and the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from example_project.social.models import Block, Comment, Follow, Like, Mute, Profile
from tests.db.example.conftest import html_of, write
from tests.extras import needs

pytestmark = [pytest.mark.django_db(transaction=True), needs("aggregation")]


@pytest.fixture
def secretive(grace: User) -> User:
    """Grace, who lets followers in one by one, and has posted."""
    Profile.objects.create(user=grace, is_private=True)
    write(grace, 1, "for friends")
    return grace


def test_a_private_account_shows_its_posts_to_those_who_were_let_in(
    site: Client, ada: User, secretive: User
) -> None:
    (pk,) = secretive.posts.values_list("pk", flat=True)
    hidden = ("/everyone/", "/people/grace/", "/people/grace/?order=popular")
    for path in hidden:
        assert "for friends" not in html_of(site, path)
    assert site.get(f"/posts/{pk}/").status_code == 404
    assert site.post(f"/posts/{pk}/like/").status_code == 404
    assert site.post(f"/posts/{pk}/comment/", {"text": "let me in"}).status_code == 404
    assert not Like.objects.exists()
    assert not Comment.objects.exists()

    site.post("/people/grace/follow/")

    assert not Follow.objects.get().is_accepted
    assert "You have asked to follow" in html_of(site, "/people/grace/")
    assert "for friends" not in html_of(site, "/")
    owner = Client()
    owner.force_login(secretive)
    assert "asks to follow you" in html_of(owner, "/notifications/")
    owner.post(f"/requests/{Follow.objects.get().pk}/")
    for path in ("/", *hidden, f"/posts/{pk}/"):
        assert "for friends" in html_of(site, path), path
    assert "follows you" in html_of(owner, "/notifications/")

    site.post("/people/grace/follow/", {"stop": "1"})

    assert "for friends" not in html_of(site, "/everyone/")
    assert "for friends" not in html_of(site, "/")


def test_the_api_holds_no_text_of_a_private_account(
    secretive: User, feed_of: Callable[..., list[dict[str, Any]]]
) -> None:
    """Any user token reads `user` feeds, and `visible_to` is not asked there."""
    (activity,) = feed_of("user", secretive)

    assert activity["object"] == f"social.Post:{secretive.posts.get().pk}"
    assert "for friends" not in str(activity)


def test_only_who_is_asked_answers_a_request(site: Client, ada: User, secretive: User) -> None:
    asked = Follow.objects.create(follower=ada, followed=secretive, is_accepted=False)

    assert site.post(f"/requests/{asked.pk}/").status_code == 404

    site.force_login(secretive)
    site.post(f"/requests/{asked.pk}/", {"decline": "1"})
    assert not Follow.objects.exists()
    assert "asks to follow you" not in html_of(site, "/notifications/")


def test_whoever_waits_is_let_in_when_an_account_is_opened(site: Client, ada: User, secretive: User) -> None:
    Follow.objects.create(follower=ada, followed=secretive, is_accepted=False)
    owner = Client()
    owner.force_login(secretive)

    owner.post("/settings/", {"first_name": "Grace", "last_name": "Lind"})

    assert Follow.objects.get().is_accepted
    assert "for friends" in html_of(site, "/")


def test_a_mute_empties_feeds_and_badges_and_ends(site: Client, ada: User, grace: User) -> None:
    Follow.objects.create(follower=ada, followed=grace)
    (mine,) = write(ada, 1)
    write(grace, 1, "chatter")
    Like.objects.create(user=grace, post=mine)

    site.post("/people/grace/mute/")

    for path in ("/", "/popular/", "/summary/", "/everyone/"):
        assert "chatter" not in html_of(site, path), path
    assert '<b class="badge">' not in html_of(site, "/everyone/")
    assert "No news" in html_of(site, "/notifications/")
    assert "Unmute" in html_of(site, "/settings/")
    site.post("/people/grace/mute/", {"stop": "1"})
    assert not Mute.objects.exists()
    assert "chatter" in html_of(site, "/")


def test_a_block_hides_both_and_ends_their_follows(site: Client, ada: User, grace: User) -> None:
    Follow.objects.create(follower=ada, followed=grace)
    Follow.objects.create(follower=grace, followed=ada)
    (mine,) = write(ada, 1, "from ada")
    write(grace, 1, "from grace")
    Comment.objects.create(user=grace, post=mine, text="an answer")

    site.post("/people/grace/block/")

    assert not Follow.objects.exists()
    other = Client()
    other.force_login(grace)
    for path in ("/", "/everyone/", "/people/", f"/posts/{mine.pk}/"):
        assert "grace" not in html_of(site, path), path
    for path in ("/", "/everyone/"):
        assert "from ada" not in html_of(other, path)
    assert other.get(f"/posts/{mine.pk}/").status_code == 404
    assert other.get("/people/ada/").status_code == 404
    assert other.post("/people/ada/follow/").status_code == 404
    site.post("/people/grace/block/", {"stop": "1"})
    assert not Block.objects.exists()
    assert "from grace" in html_of(site, "/everyone/")


def test_people_are_found_by_parts_of_their_names(
    site: Client, grace: User, make_user: Callable[[str], User]
) -> None:
    User.objects.filter(pk=grace.pk).update(first_name="Grace", last_name="Lind")
    make_user("linus")

    def found(words: str) -> list[str]:
        return [person.username for person in site.get("/people/", {"q": words}).context["people"]]

    assert sorted(found("lin")) == ["grace", "linus"]
    assert found("GRACE lin") == ["grace"]
    assert found("nobody at all") == []
    assert found("%_' \0\"") == []


def test_a_new_account_is_signed_in(client: Client) -> None:
    secret = "a long enough secret"
    wanted = {"username": "new", "first_name": "New", "last_name": "One"}

    refused = client.post("/sign-up/", {**wanted, "password1": secret, "password2": "another"})
    assert refused.status_code == 400
    assert not User.objects.exists()

    answer = client.post("/sign-up/", {**wanted, "password1": secret, "password2": secret}, follow=True)

    assert answer.redirect_chain == [("/people/", 302)]
    assert "Welcome!" in answer.content.decode()
    assert str(answer.wsgi_request.user) == "new"
