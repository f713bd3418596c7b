"""Rows of a second database have their outbox there, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from django_stream.activities.payload import payload_of
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.backfill import note_all
from django_stream.publishing.publisher import publisher_for
from django_stream.tracking import activities_paused, drain
from tests.testapp.models import Article, Tag

FeedOf = Callable[..., list[dict[str, Any]]]
pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture
def eve() -> User:
    return User.objects.using("other").create(username="eve", pk=4711)


def test_a_row_is_noted_and_published_from_its_own_database(eve: User, feed_of: FeedOf) -> None:
    tag = Tag(name="t", user=eve)
    tag.save(using="other")
    Article.objects.using("other").bulk_create([Article(author=eve, title="one")])
    Article.objects.using("other").update(title="two")

    assert OutboxEntry.objects.count() == 0
    assert OutboxEntry.objects.using("other").count() == 3
    assert drain().published == 0
    assert drain("other").published == 2
    assert [entry["verb"] for entry in feed_of("user", eve)] == ["publish", "tag"]
    assert Publication.objects.using("other").count() == 2

    tag.delete(using="other")
    drain("other")
    assert [entry["title"] for entry in feed_of("user", eve)] == ["two"]


class ReadsElsewhere:
    """A router that sends reads to a replica which is far behind."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *rows: Any, **hints: Any) -> bool:
        return True


def test_recipients_are_not_read_from_a_replica(ada: User, grace: User, settings: Any) -> None:
    article = Article.objects.create(author=ada, title="one")
    article.mentioned.add(grace)
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsElsewhere"]

    payload = payload_of(Article.objects.using("default").select_related("author", "editor").get())

    assert payload is not None
    assert payload.activity["to"] == [f"notification:{grace.pk}"]


def test_a_rollback_there_takes_the_note_along(eve: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic("other"):
        Tag(name="t", user=eve).save(using="other")
        raise ZeroDivisionError

    assert OutboxEntry.objects.using("other").count() == 0


@pytest.mark.django_db(databases=["default", "other"], transaction=True)
def test_a_commit_there_wakes_a_drain_there(eve: User, feed_of: FeedOf) -> None:
    Tag(name="t", user=eve).save(using="other")

    assert len(feed_of("user", eve)) == 1
    assert OutboxEntry.objects.using("other").count() == 0


def test_a_whole_table_is_published_again_from_its_own_database(eve: User, feed_of: FeedOf) -> None:
    publisher = publisher_for("testapp.Tag")
    assert publisher is not None
    Tag(name="kept", user=eve).save(using="other")
    gone = Tag(name="gone", user=eve)
    gone.save(using="other")
    drain("other")
    with activities_paused():
        gone.delete(using="other")
        Tag.objects.using("other").update(created_at="2026-01-01T00:00Z")

    assert sum(note_all(publisher, "other")) == 2

    assert OutboxEntry.objects.count() == 0
    drain("other")
    assert [entry["object"] for entry in feed_of("user", eve)] == ["testapp.Tag:kept"]
