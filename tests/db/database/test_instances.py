"""Instances by key are what Django's own queryset gives, of every kind of key and column.

Run on every supported Django: the text and the converters are of its compiler, for which there is no public
name.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext, isolate_apps

from django_stream.activities.inherited_managers import track_managers
from django_stream.activities.managers import TrackedManager
from django_stream.database.instances import adds_nothing, among, by_key, matching
from tests.testapp.models import Photo, Tag, Video


@pytest.fixture
def kinds() -> Iterator[Any]:
    """A table of one column of each kind that a driver or Django converts."""
    with isolate_apps("tests.testapp"):

        class Kinds(models.Model):
            key = models.UUIDField(primary_key=True, default=uuid.uuid4, db_column="Key Of")
            price = models.DecimalField(max_digits=9, decimal_places=2, default=Decimal("1.50"))
            data = models.JSONField(default=dict, null=True)
            moment = models.DateTimeField(default=datetime(2026, 1, 2, tzinfo=UTC))
            day = models.DateField(default=datetime(2026, 1, 2, tzinfo=UTC).date)
            is_on = models.BooleanField(null=True)
            long = models.DurationField(null=True)
            owner = models.ForeignKey(User, models.CASCADE, null=True, db_constraint=False)
            before = models.ForeignKey("self", models.CASCADE, null=True, db_constraint=False)

            class Meta:
                app_label = "testapp"
                db_table = "Kinds Of"
                ordering = ("-price",)

            def __str__(self) -> str:
                return str(self.key)

    with connection.schema_editor() as editor:
        editor.create_model(Kinds)
    yield Kinds
    with connection.schema_editor() as editor:
        editor.delete_model(Kinds)


@pytest.mark.django_db(transaction=True)
def test_rows_are_found_by_what_a_foreign_key_holds(kinds: Any) -> None:
    first, other = kinds.objects.create(), kinds.objects.create()
    later = [kinds.objects.create(before=first) for _ in range(3)]
    kinds.objects.create(before=other)
    field = kinds._meta.get_field("before")

    found = matching(kinds, "default", among(field, [first.pk, uuid.uuid4(), uuid.uuid4()]))

    assert {row.pk for row in found} == {row.pk for row in later}
    assert {row.before_id for row in found} == {first.pk}


@pytest.mark.django_db(transaction=True)
def test_the_values_are_those_of_a_queryset(kinds: Any) -> None:
    rows = [kinds.objects.create(data={"n": n}, is_on=n % 2 == 0, owner_id=n + 1) for n in range(5)]
    rows.append(kinds.objects.create(data=None))
    pks = [row.pk for row in rows]
    for some in (pks[:1], pks[:3], pks, [*pks, uuid.uuid4()]):
        found = by_key(kinds, "default", some)
        expected = kinds.objects.in_bulk(some)
        assert found.keys() == expected.keys()
        for pk, row in found.items():
            names = [field.attname for field in kinds._meta.concrete_fields]
            assert [repr(getattr(row, name)) for name in names] == [
                repr(getattr(expected[pk], name)) for name in names
            ]
            assert row._state.db == "default"
            assert not row._state.adding


@pytest.mark.django_db
def test_one_query_whatever_the_keys() -> None:
    user = User.objects.create(username="u")
    tags = [Tag.objects.create(name=name, user=user) for name in ("%s", "a'b", 'c"d')]
    photo = Photo.objects.create(owner=user)
    with CaptureQueriesContext(connection) as queries:
        assert set(by_key(Tag, "default", [tag.pk for tag in tags]).values()) == set(tags)
        assert by_key(Photo, "default", [photo.pk]) == {photo.pk: photo}
        assert by_key(Tag, "default", []) == {}
    assert len(queries) == 2


@pytest.mark.django_db
def test_another_thread_has_a_statement_of_its_own() -> None:
    by_key(Tag, "default", ["x"])

    def elsewhere() -> object:
        try:
            return by_key(Tag, "default", ["x"])
        finally:
            # Django itself keeps a database in memory open.
            BaseDatabaseWrapper.close(connections["default"])

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere).result() == {}


class _Rows(models.QuerySet[Any]):
    def filter(self, *args: Any, **kwargs: Any) -> Any:
        return super().filter(*args, **kwargs).exclude(name="hidden")

    def delete(self) -> Any:
        return super().delete()


class _Writing(models.QuerySet[Any]):
    def delete(self) -> Any:
        return super().delete()

    def popular(self) -> Any:
        return self.filter(name="popular")


class _Some(models.Manager[Any]):
    def get_queryset(self) -> Any:
        return super().get_queryset().exclude(name="hidden")


class _Elsewhere(models.Manager[Any]):
    def using(self, alias: str | None) -> Any:
        return super().using("other")


@pytest.mark.parametrize(
    ("manager", "nothing"),
    [
        (models.Manager, True),
        (TrackedManager, True),
        (models.Manager.from_queryset(_Writing), True),
        (models.Manager.from_queryset(_Rows), False),
        (_Some, False),
        (_Elsewhere, False),
    ],
)
@pytest.mark.parametrize("tracked", [False, True])
@isolate_apps("tests.testapp")
def test_a_manager_that_adds_something_is_asked(manager: Any, nothing: bool, tracked: bool) -> None:
    class Managed(models.Model):
        name = models.CharField(max_length=10)
        objects = manager()

        class Meta:
            app_label = "testapp"

        def __str__(self) -> str:
            return self.name

    if tracked:
        track_managers(Managed)
    assert adds_nothing(Managed) is nothing


@isolate_apps("tests.testapp")
def test_rows_of_several_tables_and_keys_of_several_columns_are_left_to_django() -> None:
    class Pair(models.Model):
        pk = models.CompositePrimaryKey("a", "b")
        a = models.IntegerField()
        b = models.IntegerField()

        class Meta:
            app_label = "testapp"

        def __str__(self) -> str:
            return f"{self.a}, {self.b}"

    assert not adds_nothing(Pair)
    assert not adds_nothing(Video)
    assert adds_nothing(User)
