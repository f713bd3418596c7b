"""Two different rows never share a feed, and a feed id tells whose it is."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import models
from django.test.utils import isolate_apps
from django.utils.functional import SimpleLazyObject
from hypothesis import given
from hypothesis import strategies as st

from django_stream.activities.owners import feed_id, owner_id, parse_owner_id
from django_stream.feeds.manager import feed_manager
from django_stream.protocol.feed_ids import FeedID
from django_stream.publishing.drain import drain
from tests.testapp.models import Album, Article, Brand, Clip, Club, Fan, Guest, Media, Member, Tag, Video

FIRST_TABLE: dict[Any, Any] = {
    **{model: model for model in (User, Group, Club, Article, Album, Tag, Member, Media)},
    Guest: User,
    Video: Media,
    Clip: Media,
}
texts = st.one_of(
    st.text(min_size=1, max_size=12),
    st.sampled_from(["1", "testapp-club-1", "_b32_ge", "a-b-c", "auth-user-1", str(uuid.UUID(int=7))]),
)
numbers = st.integers(1, 9)


def instances() -> st.SearchStrategy[models.Model]:
    def of(model: type[models.Model]) -> st.SearchStrategy[models.Model]:
        keys = texts if model in (Tag, Member) else numbers
        return keys.map(lambda key: model(**{FIRST_TABLE[model]._meta.pk.attname: key, "pk": key}))

    return st.sampled_from(list(FIRST_TABLE)).flatmap(of)


@given(instances(), instances())
def test_equal_names_mean_the_same_row(one: models.Model, other: models.Model) -> None:
    rows = [(FIRST_TABLE[type(row)], row.pk) for row in (one, other)]
    assert (owner_id(one) == owner_id(other)) is (rows[0] == rows[1])


@given(instances())
def test_a_name_tells_the_row_and_stands_for_it(row: models.Model) -> None:
    name, first = owner_id(row), FIRST_TABLE[type(row)]
    assert FeedID.parse(f"user:{name}") == feed_id("user", row)
    assert owner_id(name) == name
    if first is User:
        assert parse_owner_id(name) is None
        assert name == str(row.pk)
    else:
        assert parse_owner_id(name) == (first, str(row.pk))
        assert owner_id(str(name)) == name


@given(texts, texts)
def test_users_with_keys_of_text_never_meet_other_owners(key: str, other: str) -> None:
    with isolate_apps("tests.testapp"):

        class Person(models.Model):
            name = models.TextField(primary_key=True)

            class Meta:
                app_label = "testapp"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django_stream.activities.owners.get_user_model", lambda: Person)
        person, club = Person(name=key), Tag(name=other)
        assert owner_id(person) != owner_id(club)
        assert (owner_id(person) == owner_id(Person(name=other))) is (key == other)


def test_a_lazy_user_is_a_user_and_a_visitor_is_nobody() -> None:
    assert owner_id(SimpleLazyObject(lambda: Guest(pk=3))) == "3"
    for nobody in (AnonymousUser(), None, User(), SimpleLazyObject(AnonymousUser)):
        with pytest.raises(ValueError, match="has no primary key"):
            owner_id(nobody)


@isolate_apps("tests.testapp")
def test_a_model_may_name_its_rows_itself_but_not_as_others() -> None:
    class Team(models.Model):
        feed = models.ForeignKey(Group, models.CASCADE)

        class Meta:
            app_label = "testapp"

    class Band(models.Model):
        name = models.TextField()

        class Meta:
            app_label = "testapp"

        @property
        def feed_id(self) -> str:
            return self.name

    class Choir(Band):
        class Meta:
            proxy = True
            app_label = "testapp"

        @cached_property
        def feed_id(self) -> str:  # type: ignore[override]
            return "choir_1"

    assert owner_id(Team(pk=2, feed_id=9)) == "testapp-team-2"  # the column of a key called `feed`
    assert owner_id(Band(pk=1, name="the_band")) == "the_band"
    assert owner_id(Choir(pk=1)) == "choir_1"
    for taken in ("1", "testapp-club-1", "a:b", ""):
        with pytest.raises(ValueError, match="name of another owner|may hold only"):
            owner_id(Band(pk=1, name=taken))


@pytest.mark.django_db
def test_a_key_to_another_column_names_the_row_by_its_primary_key(ada: User, feed_of: Any) -> None:
    brand = Brand.objects.create(pk=ada.pk, code="x-1")
    fan = Fan.objects.create(follower=ada, followed=brand)
    drain()
    timeline = feed_manager.get_feed("timeline", ada)
    assert [follow["target_id"] for follow in timeline.following()["results"]] == [
        f"user:testapp-brand-{brand.pk}"
    ]

    fan.delete()
    drain()
    assert timeline.following()["results"] == []


@pytest.mark.django_db
def test_a_club_and_a_user_of_one_number_live_apart(ada: User, grace: User, feed_of: Any) -> None:
    club = Club.objects.create(pk=ada.pk, name="ada's namesake")
    club.watched.add(grace)
    article = Article.objects.create(author=grace, title="for the club")
    drain()

    assert [item["foreign_id"] for item in feed_of("timeline", club)] == [f"testapp.Article:{article.pk}"]
    assert feed_of("timeline", ada) == feed_of("user", ada) == []
    feed_manager.follow_user(ada, club)
    assert (
        feed_manager.get_feed("timeline", ada).following()["results"][0]["target_id"]
        == f"user:{owner_id(club)}"
    )
