"""What a publisher makes of its declaration, without being registered."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.contrib.auth.models import Group, User

from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.publishers.activities import ActivityPublisher, representation_of
from django_stream.activities.publishers.follow_fields import follows_by
from django_stream.activities.publishers.reactions import ReactionDeclaration, ReactionPublisher
from django_stream.models import OutboxEntry
from tests.testapp.models import Article, Club, Opinion


@pytest.mark.parametrize(
    ("watch", "matters"),
    [
        (None, {"author": True, "author_id": True, "title": True, "notes": False}),
        (("notes",), {"author": False, "author_id": False, "title": False, "notes": True}),
        (("author",), {"author": True, "author_id": True, "title": False, "notes": False}),
        ((), {"author": True, "author_id": True, "title": True, "notes": True}),
    ],
    ids=["what is shown", "another field", "a foreign key", "nothing named"],
)
def test_the_fields_that_are_watched_replace_those_that_are_shown(
    watch: Sequence[str] | None, matters: dict[str, bool]
) -> None:
    declared = ActivityDeclaration(
        actor="author", object="title", time="published_at", watch=watch, extra=("title",)
    )
    publisher = ActivityPublisher(Article, declared, lambda row: row)
    assert {name: publisher.matters({name}) for name in matters} == matters


@pytest.mark.django_db
@pytest.mark.parametrize(("feed", "slug"), [(None, "user"), ("topic", "topic")])
def test_a_many_to_many_field_follows_the_feed_that_is_declared(
    feed: str | None, slug: str, ada: User
) -> None:
    club = Club.objects.create(name="one")
    club.watched.add(ada)
    publisher = follows_by(Club._meta.get_field("watched"), feed)
    keys = list(publisher.keys_where(Club.watched.through.objects.all()))
    [desired] = publisher.desired(keys, "default").values()
    assert {record["target"] for record in desired.records} == {f"{slug}:{ada.pk}"}  # type: ignore[union-attr]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["user", "user_id"])
def test_the_user_of_a_reaction_is_a_row_or_its_key(path: str, ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada, title="one")
    opinion = Opinion.objects.create(user=grace, article=article, text="good")
    declared = ReactionDeclaration(activity="article", user=path)
    desired = ReactionPublisher(Opinion, declared, representation_of).desired_by(opinion)
    assert desired is not None
    assert [record["user_id"] for record in desired.records] == [str(grace.pk)]


@pytest.mark.django_db
def test_another_relation_with_equal_keys_notes_nothing(ada: User) -> None:
    article = Article.objects.create(pk=ada.pk, author=ada, title="one")
    group = Group.objects.create(pk=ada.pk, name="one")
    OutboxEntry.objects.all().delete()
    ada.groups.add(group)
    group.user_set.clear()
    assert not OutboxEntry.objects.exists()
    article.mentioned.add(ada)
    assert OutboxEntry.objects.get().model_label == "testapp.Article"
