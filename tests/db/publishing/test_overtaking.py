"""A worker that outlives its lease is overtaken by another; what it sends late does not stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_stream import signals
from django_stream.client.exceptions import TruncatedResponse
from django_stream.database.bulk_sql import insert_copies
from django_stream.models import OutboxEntry, Publication
from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import ApiRequest, ApiResponse
from django_stream.publishing.leases import Lease, claim
from django_stream.publishing.report import DrainReport
from django_stream.tracking import drain
from tests.faults import BreakingTransport, Clock, client_over, meanwhile
from tests.testapp.models import Article, Tag

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


def test_what_an_overtaken_worker_put_elsewhere_is_taken_out(
    ada: User, grace: User, clock: Clock, feed_of: FeedOf
) -> None:
    article = Article.objects.create(author=ada, title="one")
    article.mentioned.add(ada)

    def sleep_past_the_lease_while_another_works() -> None:
        clock.forward(minutes=6)
        article.author = grace
        article.save()
        article.mentioned.set([grace])
        assert drain(clock=clock).published == 1
        assert [len(feed_of("user", user)) for user in (ada, grace)] == [0, 1]

    # The sleeper's request puts the article back into the feeds of its former author.
    drain(
        client=client_over(BreakingTransport(meanwhile(sleep_past_the_lease_while_another_works))),
        clock=clock,
    )
    drain(clock=clock)

    assert feed_of("user", ada) == feed_of("notification", ada) == []
    assert [entry["to"] for entry in feed_of("user", grace)] == [[f"notification:{grace.pk}"]]
    assert not OutboxEntry.objects.exists()


def test_an_overtaken_worker_settles_while_the_next_one_works(
    ada: User, grace: User, clock: Clock, feed_of: FeedOf
) -> None:
    tag = Tag.objects.create(name="a", user=ada)

    def first_is_overtaken() -> None:
        clock.forward(minutes=6)
        Tag.objects.filter(pk=tag.pk).update(user=grace)
        take_over = claim("default", clock(), 100)
        assert take_over is not None
        second.append(take_over)

    second: list[Lease] = []
    drain(client=client_over(BreakingTransport(meanwhile(first_is_overtaken))), clock=clock)

    # The second, which does not know what the first has sent meanwhile, must not forget it.
    assert second[0].held_keys("testapp.Tag") == set()
    assert Publication.objects.get().records[0]["feed"] == f"user:{ada.pk}"
    assert drain(clock=clock).published == 0, "nobody else works on it until the second must be done"
    clock.forward(minutes=6)
    drain(clock=clock)
    assert feed_of("user", ada) == []
    assert len(feed_of("user", grace)) == 1


def test_workers_that_enter_the_same_objects_stand_in_one_line() -> None:
    keys = ["b", "a", "C", "é"]
    insert_copies(Publication(model_label="x.Y"), "object_key", keys, "default", ignore_conflicts=True)

    entered = Publication.objects.order_by("pk").values_list("object_key", flat=True)
    assert list(entered) == list(entered.order_by("object_key"))


def test_nothing_is_sent_when_the_lease_may_end_before_the_answer(
    ada: User, clock: Clock, feed_of: FeedOf
) -> None:
    Article.objects.create(author=ada, title="one")
    Tag.objects.create(name="a", user=ada)

    def take_nearly_all_of_the_time() -> None:
        clock.forward(seconds=299)

    road = BreakingTransport(meanwhile(take_nearly_all_of_the_time))
    report = drain(client=client_over(road), clock=clock)

    assert (report.published, report.failed) == (1, 1)
    assert len(road.requests) == 1
    assert OutboxEntry.objects.get().reason == "the lease is over before all of its batch was sent"
    clock.forward(seconds=10)
    assert drain(clock=clock).published == 1
    assert len(feed_of("user", ada)) == 2
    assert Publication.objects.filter(lease=None).count() == 2


@pytest.mark.parametrize("answer", ["goes through", "is lost", "is a refusal"])
def test_only_the_last_word_is_told(answer: str, ada: User, clock: Clock, feed_of: FeedOf) -> None:
    article = Article.objects.create(author=ada, title="one")
    refusal = ApiError.named("InputException", "too long").envelope() | {"duration": "1ms"}
    told: list[tuple[str, list[str]]] = []
    reports = []

    def remember(name: str) -> Callable[..., None]:
        return lambda keys, **_: told.append((name, keys))

    def overtaken(request: ApiRequest, go_on: Callable[[], ApiResponse]) -> ApiResponse:
        clock.forward(minutes=6)
        Article.objects.filter(pk=article.pk).update(title="two")
        reports.append(drain(clock=clock))
        if answer == "is lost":
            raise TruncatedResponse("the answer broke off")
        return go_on() if answer == "goes through" else ApiResponse(400, refusal)

    names = ("changes_published", "changes_failed", "changes_parked")
    listeners = {name: remember(name) for name in names}
    for name, listener in listeners.items():
        getattr(signals, name).connect(listener)
    reports.append(drain(client=client_over(BreakingTransport(overtaken)), clock=clock))
    for name, listener in listeners.items():
        getattr(signals, name).disconnect(listener)

    # The successor, and then the look that doubt makes necessary.
    assert reports == [DrainReport(published=1), DrainReport(published=1, overtaken=1)]
    assert told == [("changes_published", [str(article.pk)])] * 2
    assert [entry["title"] for entry in feed_of("user", ada)] == ["two"]
    assert not OutboxEntry.objects.exists()


def test_what_was_there_already_is_counted_without_the_overtaken(ada: User, clock: Clock) -> None:
    tag = Tag.objects.create(name="same", user=ada)
    drain(clock=clock)
    tag.save()
    Tag.objects.create(name="new", user=ada)

    def overtake() -> None:
        clock.forward(minutes=6)
        drain(clock=clock)

    report = drain(client=client_over(BreakingTransport(meanwhile(overtake))), clock=clock)

    assert (report.overtaken, report.published, report.unchanged) == (2, 2, 0)
