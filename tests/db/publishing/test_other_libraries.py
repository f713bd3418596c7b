"""Bases and managers of other libraries stand beside ours, and are called with what they were given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test.utils import isolate_apps

from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.models import FollowMixin, OutboxEntry, TrackedQuerySet
from django_stream.publishing.nudge import nudges_held
from tests.testapp.models import Article


class Recording(models.QuerySet[Any]):
    """A library's queryset: rewrites values, and takes options that Django does not know."""

    calls: list[tuple[str, dict[str, Any]]] = []

    def update(self, **kwargs: Any) -> int:
        self.calls.append(("update", kwargs))
        return super().update(**{name.removesuffix("_en"): value for name, value in kwargs.items()})

    def delete(self, *args: Any, force_policy: str | None = None, **kwargs: Any) -> Any:
        self.calls.append(("delete", {"force_policy": force_policy}))
        return super().delete(*args, **kwargs)


class Both(TrackedQuerySet, Recording):
    pass


class SoftDeletion(models.Model):
    """A library's base: `delete(soft=False)` really deletes, and `save()` says what it did."""

    class Meta:
        abstract = True

    def delete(self, *args: Any, soft: bool = True, **kwargs: Any) -> Any:
        return "hidden" if soft else super().delete(*args, **kwargs)

    def save(self, *args: Any, keep_deleted: bool = False, **kwargs: Any) -> Any:
        super().save(*args, **kwargs)
        return "kept" if keep_deleted else "saved"


@pytest.fixture
def recorded(db: None) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    Recording.calls.clear()
    yield Recording.calls
    Recording.calls.clear()


def test_an_update_goes_on_to_the_next_queryset(ada: User, recorded: Any) -> None:
    Article.objects.create(author=ada, title="a")
    OutboxEntry.objects.all().delete()

    assert Both(Article).filter(author=ada).update(title="b") == 1

    assert recorded == [("update", {"title": "b"})]
    assert Article.objects.get().title == "b"
    assert OutboxEntry.objects.count() == 1


def test_a_delete_passes_on_what_it_was_given(ada: User, recorded: Any) -> None:
    Article.objects.create(author=ada, title="a")

    count, _ = Both(Article).filter(author=ada).delete(force_policy="hard")

    assert (count, Article.objects.count()) == (1, 0)
    assert recorded == [("delete", {"force_policy": "hard"})]


def test_signatures_of_another_base_are_kept(ada: User, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    seen: list[dict[str, Any]] = []

    class Base:
        def save(self, *args: Any, **kwargs: Any) -> str:
            seen.append(kwargs)
            return "saved"

        def delete(self, *args: Any, **kwargs: Any) -> str:
            seen.append(kwargs)
            return "deleted"

    with isolate_apps("tests.testapp"):

        class Watch(FollowMixin, SoftDeletion):
            follower = models.ForeignKey(User, models.CASCADE, related_name="+")
            followed = models.ForeignKey(User, models.CASCADE, related_name="+")

            class Meta:
                app_label = "testapp"

        monkeypatch.setattr(models.Model, "save", Base.save)
        monkeypatch.setattr(models.Model, "delete", Base.delete)
        watch = Watch(follower=ada, followed=ada)
        assert watch.save(keep_deleted=True, force_insert=True) == "kept"
        assert watch.delete() == "hidden"
        assert watch.delete(soft=False, using="default") == "deleted"
    assert seen == [{"force_insert": True}, {"using": "default"}]


@pytest.mark.django_db(transaction=True)
def test_rows_that_the_base_manager_hides_are_updated_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with isolate_apps("tests.testapp"):

        class Shown(models.Manager[Any]):
            def get_queryset(self) -> Any:
                return super().get_queryset().filter(gone=False)

        class Hidden(models.Model):
            gone = models.BooleanField(default=False)
            everything = models.Manager.from_queryset(TrackedQuerySet)()
            shown = Shown()

            class Meta:
                app_label = "testapp"
                base_manager_name = "shown"

        declaration = ActivityDeclaration(actor=lambda row: "somebody", verb="note")
        publisher = ActivityPublisher(Hidden, declaration, lambda row: row)
        monkeypatch.setattr("django_stream.activities.managers.publishers_of", lambda model: [publisher])
        with connection.schema_editor() as editor:
            editor.create_model(Hidden)
        try:
            Hidden.everything.bulk_create([Hidden(gone=True), Hidden(gone=True), Hidden()])
            with nudges_held():
                OutboxEntry.objects.all().delete()
                assert Hidden.everything.filter(gone=True).update(gone=False) == 2
            assert OutboxEntry.objects.count() == 2
            assert Hidden.shown.count() == 3
        finally:
            with connection.schema_editor() as editor:
                editor.delete_model(Hidden)
