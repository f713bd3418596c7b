"""Managers of other bases stay what they are when a model gets one of our mixins, and are tracked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps

from django_stream.models import ActivityMixin, FollowMixin, TrackedManager, TrackedQuerySet, UserMixin


class Shown(models.QuerySet[Any]):
    def first_word(self) -> str:
        return "shown"


class ShownManager(models.Manager[Any]):
    def get_queryset(self) -> Any:
        return Shown(self.model, using=self._db).filter(title="shown")


class InMigrations(ShownManager):
    use_in_migrations = True


class Named(models.Model):
    """The base of a library."""

    title = models.CharField(max_length=20)
    objects = ShownManager()
    everything: Any = models.Manager()

    class Meta:
        abstract = True


class Renamed(models.Model):
    """A library whose manager has another name."""

    title = models.CharField(max_length=20)
    things: Any = InMigrations()

    class Meta:
        abstract = True


class Plain(models.Model):
    class Meta:
        abstract = True


@pytest.fixture
def registry() -> Iterator[Apps]:
    with isolate_apps("tests.testapp") as registry:
        yield registry


def made(*bases: type[models.Model], **members: Any) -> Any:
    meta = type("Meta", (), {"app_label": "testapp"})
    return type(f"Made{len(bases)}", bases, {"__module__": __name__, "Meta": meta, **members})


@pytest.mark.parametrize("ours", [ActivityMixin, FollowMixin, UserMixin])
@pytest.mark.parametrize("theirs", [Named, Renamed, Plain])
@pytest.mark.parametrize("ours_first", [True, False])
def test_managers_are_inherited_as_without_us(
    registry: Apps, ours: Any, theirs: Any, ours_first: bool
) -> None:
    tracked = made(*((ours, theirs) if ours_first else (theirs, ours)))
    twin = made(theirs)

    names = [manager.name for manager in twin._meta.managers]
    assert [one.name for one in tracked._meta.managers if one.name in names] == names
    if theirs is not Plain:
        assert tracked._default_manager.name == twin._default_manager.name
    for manager in tracked._meta.managers:
        assert isinstance(manager.get_queryset(), TrackedQuerySet)
        if theirs is not Plain and manager.name in names:
            assert isinstance(manager, type(twin._meta.managers_map[manager.name]))
    assert hasattr(tracked, "objects")


def test_what_the_library_hides_stays_hidden(registry: Apps) -> None:
    rows = made(ActivityMixin, Named).objects.filter(pk=1)

    assert rows.first_word() == "shown"
    assert "shown" in str(rows.query)


def test_what_a_model_declares_itself_is_left_alone(registry: Apps) -> None:
    tracked = made(ActivityMixin, Named, objects=models.Manager())

    assert not isinstance(tracked.objects.get_queryset(), TrackedQuerySet)
    assert isinstance(tracked.everything.get_queryset(), TrackedQuerySet)


def test_children_and_proxies_share_them(registry: Apps) -> None:
    parent = made(ActivityMixin, Named)
    meta = type("Meta", (), {"app_label": "testapp", "proxy": True})
    for child in (made(parent), type("Proxy", (parent,), {"__module__": __name__, "Meta": meta})):
        assert child.objects.all().first_word() == "shown"
        assert isinstance(child.objects.all(), TrackedQuerySet)


@pytest.mark.parametrize("ours", [ActivityMixin, FollowMixin, UserMixin])
@pytest.mark.parametrize("ours_first", [True, False])
def test_options_are_inherited_as_without_us(registry: Apps, ours: Any, ours_first: bool) -> None:
    class Ordered(models.Model):
        title = models.CharField(max_length=20)

        class Meta:
            abstract = True
            app_label = "testapp"
            ordering = ("title",)
            verbose_name = "thing in order"

    bases = (ours, Ordered) if ours_first else (Ordered, ours)
    tracked = type("Tracked", bases, {"__module__": __name__})
    assert tracked._meta.ordering == ("title",)
    assert tracked._meta.verbose_name == "thing in order"
    assert not tracked._meta.abstract
    own: Any = made(ours, Ordered)  # with a Meta of its own, which inherits nothing
    assert own._meta.verbose_name != "thing in order"
    assert ours.Meta.abstract is False, "as Django leaves it, so that it can be inherited by name"


def test_alone_our_manager_is_used_as_it_is(registry: Apps) -> None:
    assert type(made(ActivityMixin).objects) is TrackedManager


@pytest.mark.parametrize("ours_first", [True, False])
def test_the_manager_of_users_creates_users(registry: Apps, ours_first: bool) -> None:
    # Their reverse relations would clash with those of the user model in use.
    relations = {"groups": None, "user_permissions": None}
    bases = (UserMixin, AbstractUser) if ours_first else (AbstractUser, UserMixin)
    member: Any = made(*bases, **relations)

    assert isinstance(member.objects, UserManager)
    assert isinstance(member.objects.all(), TrackedQuerySet)
    before = ModelState.from_model(made(Plain, objects=UserManager()))
    after = ModelState.from_model(member)
    assert before.managers == after.managers
    assert after.managers == before.managers


def test_nothing_of_ours_stands_in_migrations(registry: Apps) -> None:
    state = ProjectState()
    for model in (made(ActivityMixin, Renamed), made(FollowMixin, Named, Plain), made(Plain)):
        state.add_model(ModelState.from_model(model))
    detector = MigrationAutodetector(ProjectState(), state, MigrationQuestioner(specified_apps={"testapp"}))

    (migration,) = detector.changes(MigrationGraph())["testapp"]

    text = MigrationWriter(migration, include_header=False).as_string()
    assert "django_stream" not in text
    assert "InMigrations()" in text
    made_again = migration.mutate_state(ProjectState())
    for key, model_state in state.models.items():
        assert made_again.models[key].managers == model_state.managers
