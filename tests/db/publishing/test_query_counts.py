"""What a page, a batch and a deletion cost does not grow with their rows: counts at two sizes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.representation import RegisteredActivity
from django_stream.feeds.enrichment import Enrich
from django_stream.models import OutboxEntry
from django_stream.publishing.publisher import publisher_for, register_publisher
from django_stream.tracking import drain
from tests.testapp.models import Article, Bookmark, Comment, Product, Subscription

pytestmark = pytest.mark.django_db
SIZES = (3, 30)


def counted(action: Callable[..., Any], *args: Any) -> tuple[int, Any]:
    """How many queries it takes, and what it answers."""
    with CaptureQueriesContext(connection) as captured:
        answer = action(*args)
    return len(captured), answer


def users(size: int) -> list[User]:
    names = [f"user {User.objects.count()} {number}" for number in range(size)]
    return [User.objects.create(username=name) for name in names]


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Declares what rows of a model say, until the test ends."""
    before = []

    def declare(model: Any, declaration: ActivityDeclaration) -> None:
        before.append(publisher_for(model._meta.label))
        monkeypatch.setattr(model, "activity_declaration", declaration)
        register_publisher(ActivityPublisher(model, declaration, lambda row: row))

    yield declare
    for publisher in before:
        register_publisher(publisher)


def test_a_condition_behind_a_key_is_joined_on_a_page(declared: Any, ada: User) -> None:
    declared(Comment, ActivityDeclaration(should_publish="article.editor.is_active"))
    counts = []
    for size in SIZES:
        comments = []
        for user in users(size):
            article = Article.objects.create(author=ada, editor=user, title="a")
            comments.append(Comment.objects.create(user=ada, article=article, text="a"))
        activities = [{"object": f"testapp.Comment:{comment.pk}"} for comment in comments]
        count, found = counted(Enrich().enrich_activities, activities)
        counts.append(count)
        assert [one["object"] for one in found] == comments

    assert counts[0] == counts[1] == 1


def test_what_generic_keys_lead_to_is_read_together(ada: User) -> None:
    declaration = ActivityDeclaration(object="thing", time=lambda row: ada.date_joined)
    ContentType.objects.get_for_model(Product)
    publisher = ActivityPublisher(Bookmark, declaration, lambda row: RegisteredActivity(row, declaration))
    counts = []
    for size in SIZES:
        keys = []
        for user in users(size):
            for thing in (Product.objects.create(title="a"), user):
                keys.append(str(Bookmark.objects.create(user=ada, thing=thing).pk))
        count, found = counted(publisher.desired, keys, "default")
        counts.append(count)
        assert {one.content["object"].split(":")[0] for one in found.values()} == {"SO", "auth.User"}

    assert counts[0] == counts[1]


def articles_edited_by(editors: list[User], author: User) -> None:
    for editor in editors:
        Article.objects.create(author=author, editor=editor, title="a").mentioned.add(editor)


@pytest.mark.parametrize("twice", [False, True])
def test_references_that_a_deletion_clears_are_noted_together(twice: bool, ada: User) -> None:
    counts = []
    for size in SIZES:
        rows = User.objects.filter(username__startswith="user")
        articles_edited_by(users(size), ada)
        if twice:
            rows.delete()
            articles_edited_by(users(size), ada)
        OutboxEntry.objects.all().delete()
        expected = {str(pk) for pk in Article.objects.filter(editor__in=rows).values_list("pk", flat=True)}
        assert len(expected) == size
        count, _ = counted(rows.delete)
        counts.append(count)
        noted = OutboxEntry.objects.filter(model_label="testapp.Article")
        assert set(noted.values_list("object_key", flat=True)) == expected

    assert counts[1] <= counts[0]


def test_deletions_of_one_row_after_another_note_as_much(ada: User) -> None:
    editors = users(3)
    articles_edited_by(editors, ada)
    drain()
    for editor in editors:
        editor.delete()
        assert OutboxEntry.objects.filter(model_label="testapp.Article").exists()
        drain()


def test_follows_of_some_pairs_are_looked_up_without_those_of_all_others(ada: User) -> None:
    everybody = users(12)
    Subscription.objects.bulk_create(Subscription(reader=a, writer=b) for a in everybody for b in everybody)
    pairs = [Subscription(reader=a, writer=b) for a, b in itertools.pairwise(everybody)]
    publisher = publisher_for(f"{Subscription._meta.label}#follow")
    assert publisher is not None
    keys = [key for pair in pairs for key in publisher.keys_of(pair)]

    with CaptureQueriesContext(connection) as captured:
        assert len(publisher.desired(keys, "default")) == len(pairs)

    (asked,) = captured
    query = asked["sql"][asked["sql"].index("SELECT") :]  # PostgreSQL reads it by a cursor
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({query}) asked")
        assert cursor.fetchone() == (len(pairs),)


def test_pairs_of_two_columns_an_end_are_looked_up_alike(ada: User) -> None:
    """Of rows that one user and another bookmarked, only what was asked for is answered."""
    products = [Article.objects.create(author=ada, title=f"p{number}") for number in range(6)]
    readers = users(6)
    publisher = publisher_for(f"{Bookmark._meta.label}#follow")
    assert publisher is not None
    rows = [Bookmark(user=reader, thing=product) for reader in readers for product in products]
    Bookmark.objects.bulk_create(rows)
    asked = {key for row in rows[::7] for key in publisher.keys_of(row)}

    assert set(publisher.desired(asked, "default")) == asked
    Bookmark.objects.filter(pk=rows[0].pk).delete()
    assert set(publisher.desired(asked, "default")) == asked - set(publisher.keys_of(rows[0]))
