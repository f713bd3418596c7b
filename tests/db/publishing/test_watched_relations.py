"""`watch` names columns of related rows; what changes them republishes the rows that refer to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from django_stream.activities.checks.activity_class import check_activity_options
from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.kinds import ACTIVITIES
from django_stream.activities.publishers.noted_tables import NoCapture
from django_stream.activities.registry import _start
from django_stream.models import OutboxEntry
from django_stream.publishing import capture, related
from django_stream.publishing.publisher import publisher_for, register_publisher
from django_stream.testing import drain_outbox
from tests.testapp.models import Article, Clip, Comment, Fan, Media, Video

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
WATCHED = {
    "should_publish": "article.is_public",
    "watch": ["user", "article.is_public"],
}
OVER_TWO = {
    "extra": ["article.author.last_name"],
    "watch": ["user", "article.author.last_name"],
}


@pytest.fixture
def declared() -> Iterator[Callable[..., Any]]:
    before = publisher_for("testapp.Comment")
    assert before is not None

    def declare(**options: Any) -> Any:
        publisher = ACTIVITIES.registered(Comment, ActivityDeclaration(**options))
        _start(publisher)
        return publisher

    yield declare
    register_publisher(before)


@pytest.fixture
def comments(ada: User, grace: User) -> list[Comment]:
    articles = [Article.objects.create(author=ada, title=title) for title in "ab"]
    made = [
        Comment.objects.create(user=grace, article=article, text="x") for article in [*articles, articles[0]]
    ]
    drain_outbox()
    return made


def noted() -> set[str]:
    return set(OutboxEntry.objects.filter(model_label="testapp.Comment").values_list("object_key", flat=True))


def save(article: Article) -> None:
    article.is_public = False
    article.save()


def save_one_field(article: Article) -> None:
    article.is_public = False
    article.save(update_fields=["is_public"])


def update(article: Article) -> None:
    Article.objects.filter(pk=article.pk).update(is_public=False)


def bulk_update(article: Article) -> None:
    article.is_public = False
    Article.objects.bulk_update([article], ["is_public"])


def revert(article: Article) -> None:
    article.is_public = False
    (row,) = serializers.deserialize("json", serializers.serialize("json", [article]))
    row.save()


@pytest.mark.parametrize("change", [save, save_one_field, update, bulk_update, revert])
def test_a_change_of_the_related_row_reaches_the_feeds(
    change: Callable[[Article], None], declared: Callable[..., Any], comments: list[Comment], feed_of: Any
) -> None:
    declared(**WATCHED)
    change(Article.objects.get(pk=comments[0].article_id))
    assert noted() == {str(comments[0].pk), str(comments[2].pk)}
    drain_outbox()
    left = {entry["foreign_id"] for entry in feed_of("user", comments[0].user)}
    assert left == {f"testapp.Comment:{comments[1].pk}"}


@pytest.mark.parametrize("many", [True, False])
def test_a_watched_key_that_is_cleared_by_a_deletion_is_seen(
    many: bool, declared: Callable[..., Any], comments: list[Comment], make_user: Callable[[str], User]
) -> None:
    declared(target="article.editor", watch=["user", "article.editor"])
    eva = make_user("eva")
    Article.objects.filter(pk=comments[0].article_id).update(editor=eva)
    drain_outbox()

    (User.objects.filter(pk=eva.pk) if many else eva).delete()

    assert noted() == {str(comments[0].pk), str(comments[2].pk)}


def other_columns(article: Article) -> None:
    article.title = "another"
    article.save()


def same_value(article: Article) -> None:
    article.save()


def fields_that_are_not_written(article: Article) -> None:
    article.is_public = False
    article.save(update_fields=["title"])


def deferred(article: Article) -> None:
    Article.objects.only("title").get(pk=article.pk).save()


@pytest.mark.parametrize("change", [other_columns, same_value, fields_that_are_not_written, deferred])
def test_what_does_not_matter_notes_nothing(
    change: Callable[[Article], None], declared: Callable[..., Any], comments: list[Comment]
) -> None:
    declared(**WATCHED)
    change(Article.objects.get(pk=comments[0].article_id))
    assert noted() == set()


def test_of_two_watched_columns_only_the_one_that_is_written_counts(
    declared: Callable[..., Any], comments: list[Comment]
) -> None:
    declared(watch=["article.is_public", "article.title"])
    article = Article.objects.get(pk=comments[0].article_id)
    article.is_public = False
    article.save(update_fields=["title"])
    assert noted() == set()


def test_over_two_keys(declared: Callable[..., Any], comments: list[Comment], ada: User, grace: User) -> None:
    declared(**OVER_TWO)
    ada.last_name = "Byron"
    ada.save()
    assert noted() == {str(comment.pk) for comment in comments}
    OutboxEntry.objects.all().delete()
    Article.objects.filter(pk=comments[1].article_id).update(author=grace)
    assert noted() == {str(comments[1].pk)}
    OutboxEntry.objects.all().delete()
    ada.email = "ada@example.org"
    ada.save()
    assert noted() == set()


def test_a_save_of_what_nobody_watches_costs_nothing(declared: Callable[..., Any], ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            ada.save()
        return len(seen)

    before = queries()
    declared(**WATCHED)
    assert queries() == before
    declared(**OVER_TWO)
    assert queries() == before + 1


def test_a_savepoint_that_is_rolled_back_takes_the_notes_along(
    declared: Callable[..., Any], comments: list[Comment]
) -> None:
    from django.db import transaction

    declared(**WATCHED)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        save(comments[0].article)
        raise ZeroDivisionError
    assert noted() == set()


def test_checks_follow_the_path() -> None:
    found = check_activity_options(Comment, {"actor": "user", "watch": ["article.is_pubic", "article.title"]})
    assert [(problem.id, problem.hint) for problem in found] == [
        ("django_stream.E002", "Did you mean 'is_public'?")
    ]


def test_triggers_see_it_whoever_writes(
    declared: Callable[..., Any], comments: list[Comment], settings: Any
) -> None:
    declared(**WATCHED, capture="database")
    capture.reconcile(connection.alias)
    rows = models.QuerySet(Article).filter(pk=comments[0].article_id)
    rows.update(title="another")
    assert noted() == set()
    rows.update(is_public=False)
    assert noted() == {str(comments[0].pk), str(comments[2].pk)}


@pytest.fixture
def captured(declared: Callable[..., Any], comments: list[Comment]) -> Callable[..., Any]:
    def declare(**options: Any) -> Any:
        publisher = declared(**options, capture="database")
        capture.reconcile(connection.alias)
        return publisher

    return declare


def test_triggers_lead_over_two_keys_as_well(
    captured: Callable[..., Any], comments: list[Comment], ada: User, grace: User, feed_of: Any
) -> None:
    captured(**OVER_TWO)
    models.QuerySet(User).filter(pk=ada.pk).update(email="ada@example.org")
    assert noted() == set()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET last_name = 'Byron' WHERE id = %s", [ada.pk])
    assert noted() == {str(comment.pk) for comment in comments}
    drain_outbox()
    assert {entry["article_author_last_name"] for entry in feed_of("user", grace)} == {"Byron"}

    models.QuerySet(Article).filter(pk=comments[1].article_id).update(author=grace)
    assert noted() == {str(comments[1].pk)}
    drain_outbox()
    models.QuerySet(User).filter(pk=grace.pk).update(last_name="Hopper")
    assert noted() == {str(comments[1].pk)}


def test_triggers_lead_over_primary_keys_only(declared: Callable[..., Any]) -> None:
    publisher = declared(extra=["article.author.last_name"], watch=["article.author.last_name"])
    assert len(list(publisher.noted_tables(connection.alias))) > 2
    publisher = ACTIVITIES.registered(Fan, ActivityDeclaration(watch=["follower.last_name"]))
    with pytest.raises(NoCapture, match=r"watch leads over follower, .* follower is not such a key"):
        list(publisher.noted_tables(connection.alias))


@pytest.mark.parametrize("watched", [Media, Video, Clip])
def test_a_row_of_several_tables_is_watched_as_whatever_it_is_saved(
    watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(related, "_watches", defaultdict(dict))
    publisher = publisher_for("testapp.Article")
    assert publisher is not None
    related.watch(publisher, watched, "media", frozenset({"title"}))

    assert [related.is_watched(model, ["title"]) for model in (Media, Video, Clip)] == [True] * 3
    assert not related.is_watched(Article, ["title"])
