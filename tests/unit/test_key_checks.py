"""Keys for which the outbox has no room are found at the start, not by a save that fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps

from django_stream.activities.checks.keys import check_keys, longest_key
from django_stream.activities.publishers.follows import FollowDeclaration, FollowPublisher


@pytest.fixture(autouse=True)
def _alone() -> Any:
    with isolate_apps("tests.testapp"):
        yield


class InTestapp:
    app_label = "testapp"


def test_the_test_project_has_room() -> None:
    assert check_keys() == []


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        (models.CharField(max_length=255, primary_key=True), True),
        (models.CharField(max_length=256, primary_key=True), False),
        (models.TextField(primary_key=True), False),
        (models.UUIDField(primary_key=True), True),
        (models.BigAutoField(primary_key=True), True),
    ],
    ids=["255", "256", "text", "uuid", "number"],
)
def test_a_key_may_be_as_long_as_the_column(key: Any, fits: bool) -> None:
    class Note(models.Model):
        slug = key

        Meta = InTestapp

    assert (longest_key(Note._meta.pk_fields) <= 255) == fits


def test_the_columns_of_a_pair_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Person(models.Model):
        email = models.CharField(max_length=200, primary_key=True)

        Meta = InTestapp

    class Fan(models.Model):
        fan = models.ForeignKey(Person, models.CASCADE, related_name="+")
        idol = models.ForeignKey(Person, models.CASCADE, related_name="+")

        Meta = InTestapp

    publisher = FollowPublisher(Fan, FollowDeclaration("fan", "idol"))
    monkeypatch.setattr("django_stream.activities.checks.keys.publishers", lambda: [publisher, publisher])

    (problem,) = check_keys()
    assert problem.id == "django_stream.W044"
    assert problem.msg.startswith("testapp.Fan has keys that may be longer than 255 characters")
    assert problem.hint == "PostgreSQL refuses to save such a row. Limit the length of fan and idol."
