"""Whoever adds a kind of tracked model adds one record: tracking, checks and commands find it there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from django.test.utils import isolate_apps

from django_stream.activities import kinds, registry
from django_stream.activities.checks.models import check_tracked_model
from django_stream.activities.kinds import KINDS, TrackedKind, kind_of
from django_stream.activities.mixins import TrackedModel
from django_stream.activities.publishers.base import TrackedPublisher
from django_stream.client import StreamClient
from django_stream.publishing.publisher import (
    Change,
    Desired,
    publishers,
    publishers_of,
    unregister_publisher,
)
from tests.testapp.models import Plain


@dataclass(frozen=True)
class ThingDeclaration:
    """The `class Thing:` of a model."""

    owner: str = "owner"
    names: tuple[str, ...] = ()


class ThingMixin(TrackedModel):
    """A kind of model that the project does not have."""

    class Meta:
        abstract = True


class ThingPublisher(TrackedPublisher):
    """Publishes nothing."""

    kind = "thing"

    def __init__(self, model: type[models.Model], declaration: ThingDeclaration) -> None:
        super().__init__(model)
        self.declaration = declaration

    def keys_of(self, instance: models.Model) -> list[str]:
        return [str(instance.pk)]

    def keys_where(self, rows: models.QuerySet[Any]) -> Iterable[str]:
        return ()

    def desired(self, keys: Collection[str], using: str) -> Mapping[str, Desired | Exception]:
        return {}

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        return {}


THINGS = TrackedKind(
    mixin=ThingMixin,
    inner="Thing",
    declaration=ThingDeclaration,
    publisher=ThingPublisher,
    make=ThingPublisher,
    command="stream_sync",
    paths=("owner", "names"),
    to_one=frozenset({"owner"}),
    lists=frozenset({"names"}),
)


@pytest.fixture
def another_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kinds, "KINDS", (*KINDS, THINGS))
    with isolate_apps("tests.testapp"):
        yield
    for one in publishers():
        if isinstance(one, ThingPublisher):
            unregister_publisher(one)


@pytest.mark.django_db
@pytest.mark.usefixtures("another_kind")
def test_a_new_kind_is_tracked_checked_and_published_by_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    class Widget(ThingMixin, models.Model):
        class Meta:
            app_label = "testapp"
            db_table = "testapp_plain"

        title = models.CharField(max_length=100)

        class Thing:
            owner = "title"
            names = "title"
            colour = "red"

    monkeypatch.setattr(registry.apps, "get_models", lambda: [Widget])
    registry.track_mixins()

    (one,) = publishers_of(Widget)
    assert (one.label, kind_of(one)) == ("testapp.Widget#thing", THINGS)
    assert {problem.id for problem in check_tracked_model(Widget)} == {
        "django_stream.E003",
        "django_stream.E005",
        "django_stream.E007",
    }
    out = StringIO()
    call_command("stream_sync", "testapp.Widget", stdout=out)
    assert "testapp.Widget thing: 0 rows looked at" in out.getvalue()


@pytest.mark.usefixtures("another_kind")
def test_a_class_nearly_named_like_that_of_a_new_kind_is_named() -> None:
    class Widget(ThingMixin, models.Model):
        class Meta:
            app_label = "testapp"

        class Things:
            pass

    (misspelt,) = (one for one in check_tracked_model(Widget) if one.id == "django_stream.W041")
    assert misspelt.hint == "Did you mean 'class Thing'?"


def test_every_publisher_belongs_to_one_kind_with_a_suffix_of_its_own() -> None:
    assert {kind_of(one) for one in publishers()} == set(KINDS)
    suffixes = [kind.publisher.kind for kind in KINDS]
    assert len(set(suffixes)) == len(KINDS)


@pytest.mark.django_db
def test_each_table_is_published_by_one_of_the_commands() -> None:
    out = StringIO()
    call_command("stream_backfill", "--no-drain", stdout=out)
    call_command("stream_sync", "--no-drain", stdout=out)

    published = [line.partition(": ")[0] for line in out.getvalue().splitlines() if "rows looked at" in line]
    assert sorted(published) == sorted(one.label.replace("#", " ") for one in publishers())


def test_a_publisher_of_no_kind_is_refused_and_not_forgotten() -> None:
    with pytest.raises(LookupError, match="ThingPublisher belongs to no kind"):
        kind_of(ThingPublisher(Plain, ThingDeclaration()))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.inner)
def test_a_record_names_options_that_its_declaration_has(kind: TrackedKind) -> None:
    options = {field.name for field in fields(kind.declaration)}

    assert {*kind.paths, *kind.lists} <= options
    assert kind.to_one <= set(kind.paths)
