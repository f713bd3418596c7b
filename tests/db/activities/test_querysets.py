"""What is used of Django's private API does what it is used for, and `update()` leaves room for others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test.utils import CaptureQueriesContext, isolate_apps

from django_stream.database.querysets import forget_rows, write_database
from django_stream.models import OutboxEntry, TrackedQuerySet
from django_stream.tracking import republish
from tests.testapp.models import Article, Tag

pytestmark = pytest.mark.django_db


class ReadsElsewhere:
    """A router as sites with a replica have it."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


def test_the_database_of_a_write_is_the_writers_unless_the_queryset_names_one(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsElsewhere"]
    rows = Tag.objects.all()
    assert rows.db == "replica"

    assert (write_database(rows), rows.db, rows.filter(name="t").db) == ("default",) * 3
    assert write_database(Tag.objects.using("replica").all()) == "replica"


def test_rows_that_were_forgotten_are_read_again(ada: User) -> None:
    Tag.objects.create(name="a", user=ada)
    rows = Tag.objects.all()
    assert [row.name for row in rows] == ["a"]
    Tag.objects.filter(name="a").delete()

    assert len(rows) == 1
    forget_rows(rows)
    assert len(rows) == 0


def test_rows_of_a_replica_are_republished_by_what_the_writer_has(ada: User, settings: Any) -> None:
    Tag.objects.create(name="a", user=ada)
    OutboxEntry.objects.all().delete()
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsElsewhere"]

    assert republish(Tag.objects.all()) == 1


def test_a_queryset_reads_what_it_has_updated(ada: User) -> None:
    Article.objects.create(author=ada, title="old")
    rows = Article.objects.order_by("pk")
    assert rows[0].title == "old"
    assert [row.title for row in rows] == ["old"]

    rows.update(title="new")

    assert [row.title for row in rows] == ["new"]


class Shouting(models.QuerySet[Any]):
    """A queryset of another library with an `update()` of its own."""

    def update(self, **values: Any) -> int:
        return super().update(**{name: str(value).upper() for name, value in values.items()})


class TrackedAndShouting(TrackedQuerySet, Shouting):
    """Both."""


@pytest.mark.parametrize("tracked_columns", [{"title": "x"}, {"notes": "x"}], ids=["tracked", "not tracked"])
def test_an_update_goes_on_to_those_of_other_querysets(ada: User, tracked_columns: dict[str, str]) -> None:
    article = Article.objects.create(author=ada, title="old")
    OutboxEntry.objects.all().delete()

    assert TrackedAndShouting(Article).filter(pk=article.pk).update(**tracked_columns) == 1

    article.refresh_from_db()
    assert {name: getattr(article, name) for name in tracked_columns} == dict.fromkeys(tracked_columns, "X")
    assert OutboxEntry.objects.count() == ("title" in tracked_columns)


def test_it_locks_and_notes_rows_before_it_writes_them(ada: User) -> None:
    Article.objects.create(author=ada, title="old")
    with CaptureQueriesContext(connection) as queries:
        TrackedAndShouting(Article).filter(title="old").update(title="new")

    statements = [query["sql"] for query in queries]
    (write,) = (place for place, sql in enumerate(statements) if sql.startswith("UPDATE"))
    noted = [place for place, sql in enumerate(statements) if "INSERT" in sql and "outboxentry" in sql]
    assert noted
    assert max(noted) < write
    if connection.features.has_select_for_update:
        assert any("FOR UPDATE" in sql for sql in statements[:write])


def test_a_model_may_use_such_a_queryset_for_its_manager() -> None:
    with isolate_apps("tests.testapp"):

        class Loud(models.Model):
            objects = TrackedAndShouting.as_manager()

            class Meta:
                app_label = "testapp"

    assert isinstance(Loud.objects.all(), Shouting)
