"""Rows as collection entries, users and reactions; rows of several tables; rows of several databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from django_stream.activities.publishers.activities import representation_of
from django_stream.activities.publishers.reactions import ReactionDeclaration, ReactionPublisher
from django_stream.backends import get_client
from django_stream.client.exceptions import DoesNotExistException
from django_stream.feeds.enrichment import Enrich
from django_stream.models import OutboxEntry
from django_stream.tracking import drain
from tests.faults import BreakingTransport, after, client_over
from tests.testapp.models import Album, Article, Clip, Media, Member, Opinion, Video

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


def settled() -> None:
    report = drain()
    assert (report.failed, report.parked) == (0, 0), list(
        OutboxEntry.objects.values_list("reason", flat=True)
    )


def test_a_row_is_a_collection_entry_that_other_clients_see(ada: User, feed_of: FeedOf) -> None:
    album = Album.objects.create(owner=ada, title="Blue", released=date(1971, 6, 22), price=Decimal("9.90"))
    settled()

    entry = get_client().collections.get("albums", album.pk)
    assert entry["data"] == {"id": str(album.pk), "title": "Blue", "released": "1971-06-22", "price": "9.90"}
    (plain,) = feed_of("user", ada)
    assert plain["object"] == f"SO:albums:{album.pk}"
    assert plain["foreign_id"] == f"testapp.Album:{album.pk}"
    (enriched,) = feed_of("user", ada, enrich=True)
    assert enriched["object"]["data"]["title"] == "Blue"
    assert Enrich().enrich_activities([plain])[0]["object"] == album


@pytest.mark.parametrize(
    "fields",
    [
        {"data": {"n": 1}},
        {"data": {"n": 1}, "user_id": "7"},
        {"data": {}},
        {"data": {"data": {"id": 1}}},
        {"data": 7, "user_id": "7"},
        {"data": {"n": 1}, "title": "x"},
        {"user_id": "7"},
    ],
)
def test_a_field_called_data_is_a_field_like_others(
    ada: User, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Album, "collection_data", fields, raising=False)
    album = Album.objects.create(owner=ada, title="Blue")
    settled()
    assert get_client().collections.get("albums", album.pk)["data"] == {"id": str(album.pk), **fields}


def test_a_collection_entry_follows_its_row(ada: User) -> None:
    album = Album.objects.create(owner=ada, title="Blue")
    settled()

    Album.objects.update(title="Red")
    settled()
    assert get_client().collections.get("albums", album.pk)["data"]["title"] == "Red"

    pk = album.pk
    album.delete()
    settled()
    with pytest.raises(DoesNotExistException):
        get_client().collections.get("albums", pk)


def test_a_row_is_a_user_whatever_its_key(ada: User) -> None:
    member = Member.objects.create(email="ada@example.com", name="Ada")
    settled()

    wire_id = "testapp-member-_b32_mfsgcqdfpbqw24dmmuxgg33n"
    assert get_client().users.get(wire_id)["data"] == {"name": "Ada"}
    activity = {"actor": f"SU:{wire_id}", "verb": "x", "object": "y"}
    assert Enrich().enrich_activities([activity])[0]["actor"] == member

    member.name = "Augusta"
    member.save()
    settled()
    assert get_client().users.get(wire_id)["data"] == {"name": "Augusta"}

    member.delete()
    settled()
    with pytest.raises(DoesNotExistException):
        get_client().users.get(wire_id)


@pytest.fixture
def article(ada: User) -> Article:
    created = Article.objects.create(author=ada, title="one")
    settled()
    return created


def reactions_to(article: Article, feed_of: FeedOf) -> list[tuple[str, str, str]]:
    (activity,) = feed_of("user", article.author_id)
    found = get_client().reactions.filter(activity_id=activity["id"])["results"]
    return [(reaction["kind"], reaction["user_id"], reaction["data"]["text"]) for reaction in found]


def test_a_row_is_a_reaction(article: Article, ada: User, grace: User, feed_of: FeedOf) -> None:
    opinion = Opinion.objects.create(user=grace, article=article, text="fine")
    settled()
    assert reactions_to(article, feed_of) == [("opinion", str(grace.pk), "fine")]
    assert len(feed_of("notification", ada)) == 1

    opinion.text = "very fine"
    opinion.save()
    settled()
    assert reactions_to(article, feed_of) == [("opinion", str(grace.pk), "very fine")]

    opinion.delete()
    settled()
    assert reactions_to(article, feed_of) == []
    assert feed_of("notification", ada) == []


def test_a_reaction_moves_with_its_row(article: Article, grace: User, ada: User, feed_of: FeedOf) -> None:
    opinion = Opinion.objects.create(user=grace, article=article, text="fine")
    settled()

    opinion.user = ada
    opinion.save()
    settled()

    assert reactions_to(article, feed_of) == [("opinion", str(ada.pk), "fine")]


def test_a_reaction_whose_answer_was_lost_is_there_once(
    article: Article, grace: User, feed_of: FeedOf
) -> None:
    Opinion.objects.create(user=grace, article=article, text="fine")
    with pytest.raises(KeyboardInterrupt):
        drain(client=client_over(BreakingTransport(after(KeyboardInterrupt()))))
    from datetime import timedelta

    from django.utils import timezone

    drain(clock=lambda: timezone.now() + timedelta(hours=1))

    assert reactions_to(article, feed_of) == [("opinion", str(grace.pk), "fine")]


def test_a_row_of_two_tables_speaks_once_and_as_the_child(ada: User, feed_of: FeedOf) -> None:
    plain = Media.objects.create(user=ada)
    video = Video.objects.create(user=ada, seconds=7)
    settled()
    found = {entry["foreign_id"]: entry["verb"] for entry in feed_of("user", ada)}
    assert found == {f"testapp.Media:{plain.pk}": "media", f"testapp.Video:{video.pk}": "film"}

    Media.objects.filter(pk=video.pk).update(created_at=video.created_at.replace(year=2020))
    settled()
    times = {entry["foreign_id"]: entry["time"].year for entry in feed_of("user", ada)}
    assert times[f"testapp.Video:{video.pk}"] == 2020
    assert len(times) == 2

    Media.objects.all().delete()
    settled()
    assert feed_of("user", ada) == []


def test_a_proxy_publishes_the_row_of_its_model(ada: User, feed_of: FeedOf) -> None:
    clip = Clip.objects.create(user=ada, seconds=1)
    settled()
    assert [entry["object"] for entry in feed_of("user", ada)] == [f"testapp.Video:{clip.pk}"]

    clip.delete()
    settled()
    assert feed_of("user", ada) == []


def test_recipients_change_from_the_other_end_too(ada: User, grace: User, feed_of: FeedOf) -> None:
    article = Article.objects.create(author=ada, title="one")
    grace.mentions.add(article)  # type: ignore[attr-defined]
    settled()
    assert len(feed_of("notification", grace)) == 1

    grace.mentions.clear()  # type: ignore[attr-defined]
    settled()
    assert feed_of("notification", grace) == []


@pytest.mark.parametrize("end", ["", "soft", "hard"])
@pytest.mark.parametrize(
    "differs", [{"kind": "like"}, {"user_id": "eve"}, {"activity_id": str(UUID(int=1))}, {}]
)
def test_a_reaction_whose_id_a_user_guessed_is_the_rows(
    differs: dict[str, str], end: str, ada: User, grace: User
) -> None:
    article = Article.objects.create(author=ada, title="one")
    settled()
    opinion = Opinion.objects.create(user=grace, article=article, text="good")
    declared = ReactionDeclaration(activity="article", user="user", kind="opinion")
    desired = ReactionPublisher(Opinion, declared, representation_of).desired_by(opinion)
    assert desired is not None
    assert desired.records is not None
    reactions = get_client().reactions
    taken = reactions.add(**{**desired.records[0], **differs})
    if end:
        reactions.delete(taken["id"], soft=end == "soft")
    settled()

    stored = reactions.get(taken["id"])
    assert {name: stored[name] for name in desired.records[0]} == desired.records[0]
    assert stored["data"] == {"text": "good"}
    assert get_client().reactions.filter(user_id="eve")["results"] == []


def test_a_child_whose_id_a_user_guessed_gives_way(ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada, title="one")
    Opinion.objects.create(user=ada, article=article, text="first")
    settled()
    (parent,) = get_client().reactions.filter(user_id=str(ada.pk))["results"]
    opinion = Opinion.objects.create(user=grace, article=article, text="good")
    declared = ReactionDeclaration(activity="article", user="user", kind="opinion")
    desired = ReactionPublisher(Opinion, declared, representation_of).desired_by(opinion)
    assert desired is not None
    assert desired.records is not None
    name = desired.records[0]["id"]
    get_client().reactions.add_child("opinion", parent["id"], str(grace.pk), id=name)
    settled()

    assert get_client().reactions.get(name)["parent"] == ""
