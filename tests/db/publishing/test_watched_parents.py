"""Watched columns of rows of two tables, and watched rows that another database has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from django_stream.models import OutboxEntry
from django_stream.publishing import capture
from tests.testapp.houses import Building, BuildingWatch, Station, Tower, TowerWatch
from tests.testapp.shop import Alert

pytestmark = [pytest.mark.django_db(databases=["default", "other"]), pytest.mark.tables]


def of_parent(pk: int, owner: User, using: str = "default") -> None:
    Building(pk=pk, owner=owner).save(using=using)


def of_child(pk: int, owner: User, using: str = "default") -> None:
    Tower(pk=pk, owner=owner).save(using=using)


def of_sibling(pk: int, owner: User) -> None:
    station = Station.objects.get(pk=pk)
    station.owner = owner
    station.save()


@pytest.mark.parametrize("watching", [BuildingWatch, TowerWatch])
@pytest.mark.parametrize("change", [of_parent, of_child, of_sibling])
def test_an_inherited_column_is_seen_whichever_model_writes_it(
    watching: Any, change: Callable[[int, User], None], declare: Callable[..., None], ada: User, grace: User
) -> None:
    tower = Tower.objects.create(owner=ada)
    Station(building_ptr=tower.building_ptr).save_base(raw=True)
    watching.objects.create(user=grace, house_id=tower.pk)
    declare(watching._meta.label, follower="user", followed="house.owner")

    change(tower.pk, grace)

    assert OutboxEntry.objects.filter(model_label__startswith=watching._meta.label).count() == 1


@pytest.mark.parametrize("watching", [BuildingWatch, TowerWatch])
def test_triggers_see_an_inherited_column(
    watching: Any, declare: Callable[..., None], ada: User, grace: User
) -> None:
    tower = Tower.objects.create(owner=ada)
    watching.objects.create(user=grace, house_id=tower.pk)
    declare(watching._meta.label, follower="user", followed="house.owner", capture="database")
    capture.reconcile(connection.alias)

    models.QuerySet(Building).filter(pk=tower.pk).update(owner=grace)

    assert OutboxEntry.objects.filter(model_label__startswith=watching._meta.label).count() == 1


@pytest.mark.parametrize("change", [of_parent, of_child])
def test_rows_of_the_second_database_are_sought_and_noted_there(
    change: Callable[..., None], declare: Callable[..., None], ada: User, grace: User
) -> None:
    for user in (ada, grace):
        user.save(using="other", force_insert=True)
    tower = Tower.objects.using("other").create(owner=ada)
    TowerWatch.objects.using("other").create(user=grace, house_id=tower.pk)
    label = TowerWatch._meta.label
    declare(label, follower="user", followed="house.owner")
    entries = OutboxEntry.objects.filter(model_label__startswith=label)
    entries.using("other").delete()

    change(tower.pk, grace, using="other")

    assert (entries.using("other").count(), entries.count()) == (1, 0)


class Apart:
    """Users live in one database, and who follows whom in the other."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other" if model._meta.app_label == "testapp" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return app_label == "django_stream" or (db == "other") == (app_label == "testapp")


def test_rows_in_another_database_are_not_sought_beside_what_they_watch(
    declare: Callable[..., None], ada: User, settings: Any
) -> None:
    declare(Alert._meta.label, follower="user", followed="product", should_publish="user.is_active")
    settings.DATABASE_ROUTERS = [f"{__name__}.Apart"]
    ada.is_active = False
    with CaptureQueriesContext(connection) as seen:
        ada.save()
    assert not [query["sql"] for query in seen if Alert._meta.db_table in query["sql"]]
