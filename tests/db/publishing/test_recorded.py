"""Activities that no row of the project stands for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import SimpleLazyObject

from django_stream.client.exceptions import ConnectionFailed
from django_stream.feeds import feed_manager, profile, timeline
from django_stream.models import OutboxEntry, Publication, RecordedActivity
from django_stream.tracking import activities_paused, drain, record, republish, retract
from tests.faults import BreakingTransport, after, client_over
from tests.testapp.shop import Product

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def settled() -> None:
    report = drain()
    assert (report.failed, report.parked) == (0, 0), list(
        OutboxEntry.objects.values_list("reason", flat=True)
    )


@pytest.fixture
def product(grace: User) -> Product:
    return Product.objects.create(owner=grace, title="Lamp")


def test_it_is_shown_like_any_other(ada: User, grace: User, product: Product, feed_of: FeedOf) -> None:
    feed_manager.follow_user(grace, ada)
    told = record(
        actor=ada,
        verb="view",
        object=product,
        target=ada,
        to=[grace, "notification:all"],
        time=NOON,
        extra={"seconds": 7},
    )
    settled()

    (activity,) = timeline(grace).page()
    assert (activity["actor"], activity["object"], activity["target"]) == (ada, product, ada)
    assert (activity["verb"], activity["seconds"], activity["time"]) == (
        "view",
        7,
        NOON,
    )
    assert activity["foreign_id"] == f"django_stream.RecordedActivity:{told.pk}"
    assert len(feed_of("notification", grace)) == 1

    assert retract(told) == 1
    settled()
    assert feed_of("user", ada) == feed_of("notification", grace) == feed_of("timeline", grace) == []
    assert not Publication.objects.filter(model_label="django_stream.RecordedActivity").exists()
    assert retract(told) == 0


def test_without_an_object_it_is_its_own(ada: User) -> None:
    told = record(actor=SimpleLazyObject(lambda: ada), verb="sign_in")
    settled()
    (activity,) = profile(ada).page()
    assert activity["object"] == told


def test_a_private_one_is_read_by_its_recipients_alone(ada: User, grace: User, feed_of: FeedOf) -> None:
    record(actor=ada, verb="warn", to=[grace, ada], to_only=True)
    settled()
    assert feed_of("user", ada) == feed_of("notification", ada) == []
    assert len(feed_of("notification", grace)) == 1


def test_a_key_makes_a_second_call_a_change(ada: User, feed_of: FeedOf) -> None:
    first = record(actor=ada, verb="reach", extra={"level": 1}, key=f"level-{ada.pk}")
    settled()
    second = record(actor=ada, verb="reach", extra={"level": 2}, key=f"level-{ada.pk}")
    settled()

    assert first == second
    assert RecordedActivity.objects.get().time == first.time, "the time stays unless it is given"
    assert [entry["level"] for entry in feed_of("user", ada)] == [2]
    record(actor=ada, verb="reach", time=NOON, key=f"level-{ada.pk}")
    settled()
    assert [entry["time"] for entry in feed_of("user", ada)] == [NOON]
    assert retract(key=f"level-{ada.pk}") == 1


def test_what_is_retracted_is_found_by_what_it_says(ada: User, grace: User, product: Product) -> None:
    for user in (ada, grace):
        record(actor=user, verb="view", object=product)
    record(actor=ada, verb="buy", object=product)

    assert retract(actor=ada, verb="view", object=product) == 1
    assert retract(actor=ada, object=grace) == 0
    assert retract(object=product) == 2
    for wrong in ({}, {"user": ada}):
        with pytest.raises(TypeError, match="retract"):
            retract(**wrong)


def test_it_comes_and_goes_with_the_transaction(ada: User, feed_of: FeedOf) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(actor=ada, verb="view")
        raise ZeroDivisionError
    told = record(actor=ada, verb="stay")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        retract(told)
        raise ZeroDivisionError
    settled()
    assert [entry["verb"] for entry in feed_of("user", ada)] == ["stay"]


def test_it_is_sent_once_whatever_breaks(ada: User, feed_of: FeedOf, clock: Any) -> None:
    record(actor=ada, verb="view")
    assert (
        drain(
            client=client_over(BreakingTransport(after(ConnectionFailed("the line is dead")))), clock=clock
        ).failed
        == 1
    )
    clock.forward(hours=2)
    assert drain(clock=clock).published == 1
    assert len(feed_of("user", ada)) == 1


def test_what_was_paused_is_published_on_demand(ada: User, feed_of: FeedOf) -> None:
    with activities_paused():
        record(actor=ada, verb="view")
    settled()
    assert feed_of("user", ada) == []
    assert republish(RecordedActivity.objects.all()) == 1
    settled()
    assert len(feed_of("user", ada)) == 1


def test_what_cannot_be_published_is_refused_at_once(ada: User) -> None:
    for nobody in (None, 7, "ada", AnonymousUser()):
        with pytest.raises(TypeError, match="give an instance"):
            record(actor=nobody, verb="view")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no primary key"):
        record(actor=User(), verb="view")
    with pytest.raises(ValueError, match=r'call tracking.show\("contenttypes.ContentType"\)'):
        record(actor=ada, verb="view", object=_content_type())
    with pytest.raises(Exception, match="extra.boss is of type User"):
        record(actor=ada, verb="view", extra={"boss": ada})
    with pytest.raises(ValueError, match="feed"):
        record(actor=ada, verb="view", to="everybody")
    with pytest.raises(ValidationError, match="verb"):
        record(actor=ada, verb="")
    with pytest.raises(TypeError, match="neither a date nor a datetime"):
        record(actor=ada, verb="view", time="noon")  # type: ignore[arg-type]
    assert not RecordedActivity.objects.exists()
    record(actor=ada, verb="view", object=Group.objects.create(name="chess"))


def _content_type() -> Any:
    from django.contrib.contenttypes.models import ContentType

    return ContentType.objects.get_for_model(User)
