"""Whatever breaks in between: nothing is lost, doubled or left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from django_stream import signals, tasks
from django_stream.backends import get_client
from django_stream.client.exceptions import ConnectionFailed
from django_stream.database.dialect import Dialect
from django_stream.database.vendors import dialect_of
from django_stream.models import OutboxEntry, Publication
from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import ApiResponse
from django_stream.publishing import nudge
from django_stream.publishing.backfill import note_rows
from django_stream.publishing.parking import retry_parked
from django_stream.publishing.publisher import publisher_for
from django_stream.tracking import drain
from django_stream.wakeup import waker
from tests.faults import BreakingTransport, Clock, Step, after, answering, before, client_over, meanwhile
from tests.testapp.models import Article, Subscription, Tag

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]
LOST = ConnectionFailed("the line is dead")


@pytest.fixture
def article(ada: User) -> Article:
    return Article.objects.create(author=ada, title="one")


def titles(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["title"] for entry in entries]


@pytest.mark.parametrize("step", [before(LOST), after(LOST)], ids=["request lost", "answer lost"])
def test_a_lost_call_is_repeated_later(
    step: Step, article: Article, ada: User, clock: Clock, feed_of: FeedOf
) -> None:
    client = client_over(BreakingTransport(step))

    assert drain(client=client, clock=clock).failed == 1
    assert drain(client=client, clock=clock).published == 0, "not before its time"
    clock.forward(hours=2)
    assert drain(client=client, clock=clock).published == 1

    assert titles(feed_of("user", ada)) == ["one"]
    assert not OutboxEntry.objects.exists()


def test_a_worker_killed_after_sending_leaves_no_ghost(
    article: Article, ada: User, grace: User, clock: Clock, feed_of: FeedOf
) -> None:
    with pytest.raises(KeyboardInterrupt):
        drain(client=client_over(BreakingTransport(after(KeyboardInterrupt()))), clock=clock)
    article.author = grace
    article.save()

    assert drain(clock=clock).published == 0, "the dead worker's lease still holds"
    clock.forward(minutes=6)
    drain(clock=clock)

    assert feed_of("user", ada) == []
    assert titles(feed_of("user", grace)) == ["one"]


def test_a_worker_killed_before_sending_an_update_loses_nothing(
    article: Article, ada: User, clock: Clock, feed_of: FeedOf
) -> None:
    drain(clock=clock)
    article.title = "two"
    article.save()
    with pytest.raises(KeyboardInterrupt):
        drain(client=client_over(BreakingTransport(before(KeyboardInterrupt()))), clock=clock)
    assert titles(feed_of("user", ada)) == ["one"]

    clock.forward(minutes=6)
    drain(clock=clock)

    assert titles(feed_of("user", ada)) == ["two"]


def test_a_row_that_changes_while_it_is_sent_is_sent_again(
    article: Article, ada: User, clock: Clock, feed_of: FeedOf
) -> None:
    def edit() -> None:
        Article.objects.filter(pk=article.pk).update(title="two")

    drain(client=client_over(BreakingTransport(meanwhile(edit))), clock=lambda: timezone.now())

    assert titles(feed_of("user", ada)) == ["two"]


def test_a_second_worker_leaves_a_leased_object_alone(article: Article, ada: User, clock: Clock) -> None:
    reports = []

    def second_worker() -> None:
        Article.objects.filter(pk=article.pk).update(title="two")
        reports.append(drain(clock=clock).published)

    drain(client=client_over(BreakingTransport(meanwhile(second_worker))), clock=clock)

    assert reports == [0]


def test_an_overtaken_worker_has_its_object_looked_at_again(
    article: Article, ada: User, clock: Clock, feed_of: FeedOf
) -> None:
    def sleep_past_the_lease_while_another_works() -> None:
        clock.forward(minutes=6)
        Article.objects.filter(pk=article.pk).update(title="two")
        assert drain(clock=clock).published == 1
        assert titles(feed_of("user", ada)) == ["two"]

    # What the sleeper sends is old; the feeds must not stay so.
    drain(
        client=client_over(BreakingTransport(meanwhile(sleep_past_the_lease_while_another_works))),
        clock=clock,
    )

    assert titles(feed_of("user", ada)) == ["two"]
    assert not OutboxEntry.objects.exists()


def test_one_refused_activity_does_not_hold_up_its_batch(ada: User, feed_of: FeedOf) -> None:
    parked: list[dict[str, Any]] = []
    signals.changes_parked.connect(lambda **told: parked.append(told), weak=False, dispatch_uid="test")
    Tag.objects.bulk_create([Tag(name="x" * 12 * n, user=ada) for n in range(1, 4)])
    refusal = ApiError.named("InputException", "too long").envelope()

    def refuse_the_longest(request: Any, go_on: Callable[[], ApiResponse]) -> ApiResponse:
        return ApiResponse(400, refusal | {"duration": "1ms"}) if "x" * 36 in str(request.body) else go_on()

    report = drain(client=client_over(BreakingTransport(*[refuse_the_longest] * 9)))
    signals.changes_parked.disconnect(dispatch_uid="test")

    assert (report.published, report.parked) == (2, 1)
    assert len(feed_of("user", ada)) == 2
    assert [told["keys"] for told in parked] == [["x" * 36]]
    assert OutboxEntry.objects.get().reason == "too long"
    assert retry_parked() == 1
    assert drain().published == 1
    assert len(feed_of("user", ada)) == 3


@pytest.mark.parametrize("then", ["delete", "publish"])
def test_a_name_that_the_api_does_not_know_can_be_put_right(
    then: str, ada: User, grace: User, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Tag.objects.create(name="known", user=ada)
    drain()
    with monkeypatch.context() as patched:
        patched.setattr(Tag, "activity_author_feed", "chef")
        fresh = Tag.objects.create(name="fresh", user=ada)
        known.save()
        assert drain().parked == 2
        assert "not configured: 'chef'" in OutboxEntry.objects.filter(object_key="fresh").get().reason

    for tag in (known, fresh):
        if then == "delete":
            tag.delete()
        else:
            tag.user = grace
            tag.save()

    assert drain().parked == 0
    assert not OutboxEntry.objects.exists()
    assert feed_of("user", ada) == []
    assert len(feed_of("user", grace)) == (0 if then == "delete" else 2)


def test_follows_with_a_name_that_the_api_does_not_know_can_be_put_right(
    ada: User, grace: User, feed_of: FeedOf, settings: Any
) -> None:
    Tag.objects.create(name="one", user=ada)
    settings.STREAM_NEWS_FEEDS = ["timelin"]
    follow = Subscription.objects.create(reader=grace, writer=ada)
    assert drain().parked == 1

    settings.STREAM_NEWS_FEEDS = ["timeline"]
    follow.save()
    assert drain().parked == 0
    assert len(feed_of("timeline", grace)) == 1
    follow.delete()
    assert drain().parked == 0
    assert feed_of("timeline", grace) == []


def test_a_server_in_trouble_is_given_time_and_its_own_hint_is_kept(article: Article, clock: Clock) -> None:
    body = ApiError.named("RateLimitReached", "slow down").envelope() | {"duration": "1ms"}
    busy = answering(ApiResponse(429, body, {"Retry-After": "77"}))

    drain(client=client_over(BreakingTransport(busy)), clock=clock)

    assert OutboxEntry.objects.get().due_at == clock.now + timedelta(seconds=77)


def test_a_failure_that_never_ends_is_parked(article: Article, clock: Clock, settings: Any) -> None:
    settings.STREAM_OUTBOX_MAX_ATTEMPTS = 3
    client = client_over(BreakingTransport(*[before(LOST)] * 3))

    for _ in range(3):
        drain(client=client, clock=clock)
        clock.forward(hours=2)

    entry = OutboxEntry.objects.get()
    assert (entry.attempts, entry.reason) == (3, "the line is dead")
    assert entry.parked_at is not None


def test_a_home_that_is_down_for_days_parks_nothing(article: Article, clock: Clock, settings: Any) -> None:
    settings.STREAM_OUTBOX_MAX_ATTEMPTS = 2
    unsent = ConnectionFailed("no connection", unsent=True)
    client = client_over(BreakingTransport(*[before(unsent)] * 30))

    for _ in range(5):
        assert drain(client=client, clock=clock).parked == 0
        clock.forward(hours=2)

    assert drain(clock=clock).published == 1


def test_a_parked_change_has_all_its_attempts_again(article: Article, clock: Clock, settings: Any) -> None:
    settings.STREAM_OUTBOX_MAX_ATTEMPTS = 3
    client = client_over(BreakingTransport(*[before(LOST)] * 5))
    reports = []
    for _ in range(3):
        reports.append(drain(client=client, clock=clock))
        clock.forward(hours=2)
    assert retry_parked() == 1

    reports.append(drain(client=client, clock=clock))

    assert [(report.failed, report.parked) for report in reports] == [(1, 0), (1, 0), (0, 1), (1, 0)]


@pytest.mark.parametrize("killed", ["before sending", "after sending"])
def test_what_a_killed_worker_left_open_is_not_taken_for_known(
    killed: str, article: Article, ada: User, clock: Clock, feed_of: FeedOf
) -> None:
    step = {"before sending": before, "after sending": after}[killed](KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        drain(client=client_over(BreakingTransport(step)), clock=clock)
    # Neither its entries nor the content tell of it, only the ledger.
    OutboxEntry.objects.all().delete()
    clock.forward(minutes=6)
    Article.objects.filter(pk=article.pk).update(title="one")

    report = drain(clock=clock)

    assert (report.published, report.unchanged) == (1, 0)
    assert titles(feed_of("user", ada)) == ["one"]


def test_a_database_without_short_statements_is_drained_too(
    ada: User, clock: Clock, feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for short in ("among", "rows_of", "records_of"):
        monkeypatch.setattr(type(dialect_of(connection)), short, getattr(Dialect, short))
    Tag.objects.bulk_create([Tag(name=name, user=ada) for name in "abc"])
    lost = BreakingTransport(*[after(LOST)] * 3)

    assert drain(client=client_over(lost), clock=clock).failed == 3
    clock.forward(hours=2)
    assert drain(clock=clock).published == 3
    assert len(feed_of("user", ada)) == 3
    assert Publication.objects.filter(lease=None, attempts=0).count() == 3


def test_delays_grow_to_a_cap_and_are_spread(settings: Any) -> None:
    from django_stream.publishing.retry import RetrySchedule

    policy = RetrySchedule(base_seconds=4, cap_seconds=60, max_attempts=20)
    delays = {
        attempt: {policy.delay(LOST, attempt).total_seconds() for _ in range(50)} for attempt in (1, 3, 10)
    }

    assert all(2 <= delay <= 4 for delay in delays[1])
    assert all(8 <= delay <= 16 for delay in delays[3])
    assert all(30 <= delay <= 60 for delay in delays[10])
    assert len(delays[10]) > 10


def test_an_unfollow_that_crosses_a_new_follow_keeps_the_order(
    article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    drain()
    Subscription.objects.all().delete()

    def follow_again() -> None:
        Subscription.objects.create(reader=grace, writer=ada)
        drain()

    drain(client=client_over(BreakingTransport(meanwhile(follow_again))))

    assert titles(feed_of("timeline", grace)) == ["one"]


@pytest.mark.django_db(transaction=True)
def test_many_changes_of_a_transaction_are_drained_once_after_commit(ada: User, feed_of: FeedOf) -> None:
    told: list[list[str]] = []
    signals.changes_published.connect(
        lambda keys, **_: told.append(keys), sender=Tag, weak=False, dispatch_uid="test"
    )
    with transaction.atomic():
        for name in "abc":
            Tag.objects.create(name=name, user=ada)
        assert told == []
    signals.changes_published.disconnect(sender=Tag, dispatch_uid="test")

    assert told == [["a", "b", "c"]]
    assert len(feed_of("user", ada)) == 3
    assert Publication.objects.filter(lease=None).count() == 3


def test_a_home_out_of_reach_is_called_once(ada: User, grace: User, clock: Clock, settings: Any) -> None:
    """Each further call would cost somebody its whole timeout."""
    settings.STREAM_OUTBOX_BATCH_SIZE = 2
    for user in (ada, grace):
        Tag.objects.bulk_create([Tag(name=f"{user}{n}", user=user) for n in range(3)])
    road = BreakingTransport(*[before(LOST)] * 9)

    report = drain(client=client_over(road), clock=clock)

    assert len(road.requests) <= 3, "the client's own tries of a single call"
    assert set(road.requests) == {f"POST feed/user/{ada.pk}/"}
    assert report.out_of_reach


def test_what_one_home_has_another_has_not(ada: User, settings: Any, feed_of: FeedOf) -> None:
    Tag.objects.create(name="t", user=ada)
    drain()
    get_client().feed("user", str(ada.pk)).remove_activity(foreign_id="testapp.Tag:t")
    note_rows(publisher_for("testapp.Tag"), Tag.objects.all(), "default")  # type: ignore[arg-type]
    assert drain().unchanged == 1
    assert feed_of("user", ada) == []

    settings.STREAM_API_KEY = "another"
    settings.STREAM_APP_ID = "7"
    note_rows(publisher_for("testapp.Tag"), Tag.objects.all(), "default")  # type: ignore[arg-type]

    assert drain().unchanged == 0
    assert len(feed_of("user", ada)) == 1


def test_wrong_credentials_park_nothing(ada: User, clock: Clock) -> None:
    Tag.objects.create(name="t", user=ada)
    body = ApiError.named("NotAllowedException", "signed with another secret").envelope() | {
        "duration": "1ms"
    }

    report = drain(client=client_over(BreakingTransport(answering(ApiResponse(403, body)))), clock=clock)

    assert (report.failed, report.parked) == (1, 0)


def test_a_task_that_leaves_work_behind_wakes_another(
    ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAM_OUTBOX_BATCH_SIZE = 1
    monkeypatch.setattr(nudge, "_BATCHES_PER_TASK", 2)
    woken: list[bool] = []
    monkeypatch.setattr(nudge, "nudge", lambda using, *, bulk: woken.append(bulk))
    Tag.objects.bulk_create([Tag(name=name, user=ada) for name in "abc"])

    assert [tasks.drain_outbox(), tasks.drain_outbox()] == [2, 1]
    assert woken == [True]


def test_a_window_keeps_what_is_taken_back_from_being_sent(
    ada: User, clock: Clock, feed_of: FeedOf, settings: Any
) -> None:
    settings.STREAM_OUTBOX_WINDOW_SECONDS = 300
    kept = Tag.objects.create(name="kept", user=ada)
    road = BreakingTransport()
    Tag.objects.create(name="regretted", user=ada)

    assert drain(client=client_over(road), clock=clock).published == 0
    Tag.objects.get(name="regretted").delete()
    clock.forward(minutes=6)
    drain(client=client_over(road), clock=clock)

    assert road.requests == [f"POST feed/user/{ada.pk}/"]
    assert [entry["foreign_id"] for entry in feed_of("user", ada)] == [f"testapp.Tag:{kept.pk}"]


def test_an_object_with_thousands_of_entries_is_one_object(ada: User, feed_of: FeedOf) -> None:
    tag = Tag.objects.create(name="busy", user=ada)
    OutboxEntry.objects.bulk_create(
        [OutboxEntry(model_label="testapp.Tag", object_key=tag.pk) for _ in range(3000)], batch_size=500
    )

    assert drain(clock=lambda: timezone.now() + timedelta(minutes=1)).published == 1
    assert not OutboxEntry.objects.exists()
    assert len(feed_of("user", ada)) == 1


def test_single_changes_overtake_bulk_ones(ada: User, feed_of: FeedOf, settings: Any) -> None:
    settings.STREAM_OUTBOX_BATCH_SIZE = 2
    Tag.objects.bulk_create([Tag(name=f"bulk {n}", user=ada) for n in range(5)])
    Tag.objects.create(name="single", user=ada)

    assert drain(bulk=False).published == 1
    assert [entry["foreign_id"] for entry in feed_of("user", ada)] == ["testapp.Tag:single"]
    Tag.objects.create(name="another", user=ada)
    assert drain(max_batches=1).published == 2
    assert "testapp.Tag:another" in {entry["foreign_id"] for entry in feed_of("user", ada)}
    assert drain().published == 4


@pytest.mark.django_db(transaction=True)
def test_a_commit_never_waits_for_a_broker_and_one_that_is_down_costs_a_log_line(
    ada: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    sent: list[tuple[str, bool]] = []

    def hang_and_fail(task: str, args: tuple[str, bool], **_: Any) -> None:
        assert may_go_on.wait(30)
        sent.append(args)
        raise OperationalError("no broker")

    monkeypatch.setitem(current_app.conf, "broker_url", "amqp://guest:guest@127.0.0.1:1//")
    monkeypatch.setattr(current_app, "send_task", hang_and_fail)
    connected = SimpleNamespace(connection=SimpleNamespace(ensure_connection=lambda **_: None))
    monkeypatch.setattr(current_app, "producer_or_acquire", lambda: nullcontext(connected))
    with caplog.at_level(logging.ERROR, "django_stream.wakeup"):
        Tag.objects.create(name="a", user=ada)
        assert sent == [], "the commit is through, and the broker still hangs"
        Tag.objects.bulk_create([Tag(name="b", user=ada)])
        may_go_on.set()
        assert waker.flush(30)

    assert set(sent) == {("default", False), ("default", True)}
    assert OutboxEntry.objects.count() == 2
    assert "django_stream.drain_outbox" in caplog.text
