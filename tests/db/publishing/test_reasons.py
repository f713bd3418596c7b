"""What the model's own code raises is parked with a reason that names it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from django_stream.activities.declaration import ActivityDeclaration
from django_stream.models import OutboxEntry
from django_stream.tracking import drain
from tests.testapp.models import Article, Member, Opinion, Tag

pytestmark = pytest.mark.django_db


def reasons() -> list[str]:
    drain()
    return list(OutboxEntry.objects.values_list("reason", flat=True))


@pytest.mark.parametrize(
    "name",
    ["activity_actor", "activity_should_publish", "activity_time", "activity_notify", "extra_activity_data"],
)
def test_an_overridden_property_is_named(name: str, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tag, name, property(lambda tag: tag.nonsense))
    Tag.objects.create(name="a", user=ada)

    assert reasons() == [f"Tag.{name} raised AttributeError: 'Tag' object has no attribute 'nonsense'"]


def test_the_nearest_name_is_told(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Article, "editor", property(lambda article: {}["editor"]))
    Article.objects.create(author=ada, title="one")

    assert reasons() == ["Article.editor raised KeyError: 'editor'"]


def test_an_option_that_is_a_callable_is_named(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    declaration = ActivityDeclaration(verb=lambda tag: str(1 / 0))
    monkeypatch.setattr(Tag, "activity_declaration", declaration)
    Tag.objects.create(name="a", user=ada)

    assert reasons() == ["Tag.activity_verb raised ZeroDivisionError: division by zero"]


def test_a_mirrored_property_is_named_and_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Member, "stream_user_data", property(lambda member: member.nonsense), raising=False)
    Member.objects.create(email="a@example.com", name="a")

    assert reasons() == [
        "Member.stream_user_data raised AttributeError: 'Member' object has no attribute 'nonsense'"
    ]


def test_a_path_of_a_reaction_is_named(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    opinion = Opinion.objects.create(
        user=ada, article=Article.objects.create(author=ada, title="one"), text="fine"
    )
    drain()
    monkeypatch.setattr(Opinion, "text", property(lambda self: self.nonsense, lambda self, text: None))
    opinion.save(update_fields=["user"])

    assert reasons() == ["Opinion.text raised AttributeError: 'Opinion' object has no attribute 'nonsense'"]


def test_the_kind_of_the_error_stays_what_it_is(
    ada: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def ask(tag: Tag) -> Any:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(Tag, "activity_actor", property(ask))
    Tag.objects.create(name="a", user=ada)
    with caplog.at_level(logging.WARNING, "django_stream.publishing"):
        assert drain().failed == 1, "tried again, not parked"

    assert "Tag.activity_actor raised OperationalError: the connection is gone" in caplog.text
