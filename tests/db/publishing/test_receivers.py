"""A change is noted in its own transaction, once, whatever door it goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from django_stream.models import OutboxEntry
from django_stream.tracking import activities_paused
from tests.testapp.models import Article, Badge, Comment, Media, Photo, Plain, Reading, Subscription, Tag

pytestmark = pytest.mark.django_db


def noted() -> list[str]:
    return [str(entry) for entry in OutboxEntry.objects.order_by("id")]


@pytest.fixture
def article(ada: User) -> Article:
    created = Article.objects.create(author=ada, title="one")
    OutboxEntry.objects.all().delete()
    return created


def test_creating_updating_and_deleting_note_the_row(ada: User) -> None:
    article = Article.objects.create(author=ada, title="one")
    article.title = "two"
    article.save()
    pk = article.pk
    article.delete()

    assert noted() == [f"testapp.Article:{pk}"] * 3


def test_a_rolled_back_change_is_not_noted(ada: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Article.objects.create(author=ada, title="one")
        Article.objects.create(author_id=None, title="two")

    assert noted() == []


def test_a_rolled_back_savepoint_takes_its_notes_along(ada: User) -> None:
    with transaction.atomic():
        kept = Tag.objects.create(name="kept", user=ada)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Tag.objects.create(name="lost", user=ada)
            raise ZeroDivisionError

    assert noted() == [f"testapp.Tag:{kept.pk}"]


def test_a_tracked_save_costs_one_query_more(ada: User) -> None:
    with CaptureQueriesContext(connection) as untracked, transaction.atomic():
        Plain.objects.create(title="one")
    with CaptureQueriesContext(connection) as tracked, transaction.atomic():
        Tag(name="one", user=ada).save(force_insert=True)

    assert len(tracked) == len(untracked) + 1


def test_only_watched_fields_count(article: Article) -> None:
    article.notes = "not part of the activity"
    article.save(update_fields=["notes"])
    Article.objects.update(notes="neither here")
    assert noted() == []

    article.save(update_fields=["title"])
    Article.objects.filter(pk=article.pk).update(is_public=False)
    assert noted() == [f"testapp.Article:{article.pk}"] * 2


def test_bulk_operations_note_every_row(ada: User) -> None:
    created = Article.objects.bulk_create(Article(author=ada, title=str(n)) for n in range(3))
    rows = [f"testapp.Article:{article.pk}" for article in created]
    assert noted() == rows

    for article in created:
        article.title += "!"
    Article.objects.bulk_update(created, ["title"])
    assert noted() == rows * 2

    assert Article.objects.filter(pk=created[0].pk).update(title="x") == 1
    assert noted() == [*rows * 2, rows[0]]

    OutboxEntry.objects.all().delete()
    Article.objects.all().delete()
    assert sorted(noted()) == sorted(rows)


def test_an_update_over_joins_notes_its_rows(ada: User, grace: User) -> None:
    """PostgreSQL locks neither the nullable side of a join nor distinct rows."""
    for editor in (grace, None):
        Article.objects.create(author=ada, editor=editor, title="x")
    OutboxEntry.objects.all().delete()

    rows = Article.objects.filter(Q(editor__username="grace") | Q(editor=None)).distinct()

    assert rows.update(title="y") == 2
    assert len(noted()) == 2


def test_a_cascade_notes_the_rows_that_go_along(article: Article, ada: User) -> None:
    comment = Comment.objects.create(user=ada, article=article, text="hm")
    OutboxEntry.objects.all().delete()

    expected = [f"testapp.Article:{article.pk}", f"testapp.Comment:{comment.pk}"]
    article.delete()

    assert sorted(noted()) == expected


def test_a_change_of_recipients_is_noted(article: Article, grace: User) -> None:
    article.mentioned.add(grace)
    article.mentioned.clear()

    assert noted() == [f"testapp.Article:{article.pk}"] * 2


@pytest.mark.parametrize(
    ("make", "key"),
    [
        pytest.param(
            lambda user, _: Tag.objects.create(name="a:b/c é", user=user), "a:b/c é", id="text with colons"
        ),
        pytest.param(
            lambda user, article: Reading.objects.create(reader=user, article=article),
            '["{user}","{article}"]',
            id="composite",
        ),
        pytest.param(
            lambda user, article: Subscription.objects.create(reader=user, writer=article.author),
            '["{user}","{author}"]',
            id="follows are known by their pair",
        ),
    ],
)
def test_keys_of_every_kind(make: Callable[..., Any], key: str, article: Article, grace: User) -> None:
    row = make(grace, article)

    expected = key
    for name, value in {"user": grace.pk, "article": article.pk, "author": article.author_id}.items():
        expected = expected.replace(f"{{{name}}}", str(value))
    kind = "#follow" if isinstance(row, Subscription) else ""
    assert noted() == [f"{row._meta.label}{kind}:{expected}"]


def test_a_uuid_row_and_a_registered_model_are_noted(ada: User) -> None:
    from django.contrib.auth.models import Group

    photo = Photo.objects.create(owner=ada)
    badge = Badge.objects.create(user=ada, group=Group.objects.create(name="first"))

    assert noted() == [f"testapp.Photo:{photo.pk}", f"testapp.Badge:{badge.pk}"]


def test_moving_a_follow_notes_both_pairs(ada: User, grace: User, make_user: Callable[[str], User]) -> None:
    Subscription.objects.create(reader=ada, writer=grace)
    other = make_user("other")
    OutboxEntry.objects.all().delete()

    row = Subscription.objects.get()
    row.writer = other
    row.save()

    assert sorted(noted()) == sorted(
        f'testapp.Subscription#follow:["{ada.pk}","{writer.pk}"]' for writer in (grace, other)
    )


def test_moving_follows_in_bulk_notes_both_pairs(
    ada: User, grace: User, make_user: Callable[[str], User]
) -> None:
    Subscription.objects.create(reader=ada, writer=grace)
    other = make_user("other")
    OutboxEntry.objects.all().delete()

    Subscription.objects.update(writer=other)

    assert sorted(noted()) == sorted(
        f'testapp.Subscription#follow:["{ada.pk}","{writer.pk}"]' for writer in (grace, other)
    )


def test_paused_changes_are_not_noted(ada: User) -> None:
    with activities_paused():
        Article.objects.create(author=ada, title="quiet")
        Article.objects.bulk_create([Article(author=ada, title="quiet too")])
        Article.objects.update(title="still quiet")

    assert noted() == []


def test_a_site_can_switch_tracking_off(ada: User, settings: Any) -> None:
    settings.STREAM_DISABLE_MODEL_TRACKING = True

    Article.objects.create(author=ada, title="quiet")

    assert noted() == []


def test_fixtures_are_noted_as_saved_rows_are(ada: User, article: Article, tmp_path: Any) -> None:
    path = tmp_path / "articles.json"
    with path.open("w") as out:
        call_command("dumpdata", "testapp.Article", stdout=out)
    Article.objects.all().delete()
    OutboxEntry.objects.all().delete()

    call_command("loaddata", str(path), verbosity=0)

    assert Article.objects.count() == 1
    assert set(noted()) == {f"testapp.Article:{article.pk}"}


def test_a_row_that_changes_before_it_is_locked_is_not_updated(article: Article) -> None:
    """`filter(free=True).update(free=False)` must tell exactly one of two callers that it was the first."""
    statements: list[str] = []

    def another_is_faster(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        statements.append(sql)
        if len(statements) == 1:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE testapp_article SET is_public = %s", [False])
        return result

    with connection.execute_wrapper(another_is_faster):
        updated = Article.objects.filter(is_public=True).update(is_public=False)

    assert statements[0].startswith("SELECT")
    assert updated == 0


def test_rows_that_lose_what_they_refer_to_are_noted(ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada, editor=grace, title="one")
    Article.objects.create(author=ada, title="two")
    OutboxEntry.objects.all().delete()

    grace.delete()

    article.refresh_from_db()
    assert article.editor is None
    assert noted() == [f"testapp.Article:{article.pk}"]


def test_a_tracked_base_manager_notes_what_related_managers_add(ada: User, grace: User) -> None:
    media = Media.objects.create(user=ada)
    OutboxEntry.objects.all().delete()

    grace.media_set.add(media)

    assert f"testapp.Media:{media.pk}" in noted()
