"""What an attacker found: user data kept as Django would write it, and no row that stops the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, Subquery
from django.utils import timezone

from django_stream.database.bulk_sql import conflicts_on
from django_stream.feeds.enrichment import Enrich
from django_stream.models import OutboxEntry
from django_stream.rendering.templates import template_names
from django_stream.tracking import drain
from tests.testapp.models import Article, Photo, Subscription, Tag

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


def test_an_update_is_one_statement_whatever_its_size(ada: User) -> None:
    Article.objects.bulk_create([Article(author=ada, title="new") for _ in range(600)])
    counted = Article.objects.filter(title="new").order_by().values("title").annotate(count=Count("pk"))

    Article.objects.update(title=Subquery(counted.values("count")))

    assert set(Article.objects.values_list("title", flat=True)) == {"600"}


def test_rows_that_a_conflict_let_in_are_published(ada: User, grace: User, feed_of: FeedOf) -> None:
    Article.objects.bulk_create([Article(author=ada, title="one")], ignore_conflicts=True)
    Subscription.objects.bulk_create([Subscription(reader=grace, writer=ada)], ignore_conflicts=True)
    drain()

    assert [entry["title"] for entry in feed_of("timeline", grace)] == ["one"]


def test_an_upsert_publishes_the_row_that_it_changed(ada: User, feed_of: FeedOf) -> None:
    Tag.objects.create(name="t", user=ada)
    Tag.objects.create(name="another", user=ada, created_at=timezone.now().replace(year=2019))
    drain()
    moment = timezone.now().replace(year=2020)

    Tag.objects.bulk_create(
        [Tag(name="t", user=ada, created_at=moment)],
        update_fields=["created_at"],
        **conflicts_on(["name"], "default"),
    )
    assert set(OutboxEntry.objects.values_list("object_key", flat=True)) == {"t"}
    drain()

    assert feed_of("user", ada)[0]["time"] == moment


def test_a_key_in_another_spelling_is_the_same_row(ada: User, feed_of: FeedOf) -> None:
    Photo.objects.create(id="0" * 31 + "1", owner=ada)
    drain()

    assert len(feed_of("user", ada)) == 1


def test_a_caught_exception_dooms_no_transaction(ada: User) -> None:
    with transaction.atomic():
        with pytest.raises(ValueError, match="unsaved related object"):
            Article(author=User(username="unsaved"), title="x").save()
        Article.objects.create(author=ada, title="y")

    assert Article.objects.count() == 1


def test_deleting_rows_whose_pair_was_not_loaded(ada: User, grace: User, feed_of: FeedOf) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    Tag.objects.create(name="t", user=ada)
    drain()

    Subscription.objects.only("pk").delete()
    drain()

    assert feed_of("timeline", grace) == []


@pytest.mark.parametrize("bad", [{"votes": {(1, 2): 1}}, {"votes": {1, 2}.__iter__}], ids=["keys", "values"])
def test_a_row_without_a_json_form_stops_nobody_else(
    bad: dict[str, Any], ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = property(lambda self: bad if self.name == "bad" else {})
    monkeypatch.setattr(Tag, "extra_activity_data", extra)
    for name in ("good", "bad"):
        Tag.objects.create(name=name, user=ada)

    report = drain()

    assert (report.published, report.parked) == (1, 1)
    assert OutboxEntry.objects.get().object_key == "bad"
    assert len(feed_of("user", ada)) == 1


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", None], ids=["null", "surrogate", "none"])
def test_an_identity_that_no_ledger_can_remember_stops_nobody_else(
    bad: str | None, ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = property(lambda self: bad if self.name == "bad" else f"tag:{self.name}")
    monkeypatch.setattr(Tag, "activity_foreign_id", identity)
    for name in ("good", "bad"):
        Tag.objects.create(name=name, user=ada)

    report = drain()

    assert (report.published, report.parked) == (1, 1)
    assert [entry["foreign_id"] for entry in feed_of("user", ada)] == ["tag:good"]


def test_an_identity_that_is_no_text_becomes_one(
    ada: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tag, "activity_foreign_id", property(lambda self: UUID(int=7)))
    tag = Tag.objects.create(name="t", user=ada)
    drain()
    assert [entry["foreign_id"] for entry in feed_of("user", ada)] == [str(UUID(int=7))]

    tag.delete()
    drain()
    assert feed_of("user", ada) == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="no other database stores such a key")
def test_a_key_with_a_null_in_it_stops_nobody_else(ada: User, feed_of: FeedOf) -> None:
    for name in ("good", "go\0od"):
        Tag.objects.create(name=name, user=ada)
    Tag.objects.bulk_create([Tag(name="\0", user=ada), Tag(name="fine", user=ada)])

    drain(max_batches=5)

    assert sorted(entry["object"] for entry in feed_of("user", ada)) == [
        "testapp.Tag:fine",
        "testapp.Tag:good",
    ]
    assert not OutboxEntry.objects.exists()


def test_a_time_that_no_activity_can_have_stops_nobody_else(ada: User, feed_of: FeedOf) -> None:
    Tag.objects.create(name="good", user=ada)
    Tag.objects.create(name="old", user=ada, created_at=timezone.now().replace(year=1066))

    assert (drain().parked, len(feed_of("user", ada))) == (1, 1)
    Tag.objects.get(name="good").save()
    Tag.objects.get(name="old").save()
    assert drain().parked == 1


@pytest.mark.parametrize(
    "reference",
    [
        "auth.User:99999999999999999999",
        "testapp.Reading:[Infinity,1]",
        "testapp.Tag:a\0b",
        "testapp.Tag:\ud800",
        "testapp.Reading:" + "[" * 100_000,
    ],
    ids=["integer", "infinity", "null", "surrogate", "nesting"],
)
def test_a_hostile_reference_is_a_missing_row(reference: str) -> None:
    (entry,) = Enrich(["object"]).enrich_activities([{"id": "1", "object": reference}])

    assert entry.missing == {"object": reference}


def test_a_row_that_should_not_be_public_is_not_shown_by_its_reference(ada: User) -> None:
    draft = Article.objects.create(author=ada, title="SECRET DRAFT", is_public=False)

    (entry,) = Enrich(["object"]).enrich_activities([{"id": "1", "object": f"testapp.Article:{draft.pk}"}])

    assert entry["object"] == f"testapp.Article:{draft.pk}"
    assert not entry.enriched


def test_a_long_verb_names_no_file_that_a_disk_refuses() -> None:
    assert all(len(name) < 150 for name in template_names({"verb": "a" * 253}))
