"""What goes wrong beside a change never breaks it, and is not made worse by trying again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.db.models.signals import post_delete

from django_stream import signals
from django_stream.backends import get_client
from django_stream.models import OutboxEntry, Publication
from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import ApiResponse
from django_stream.publishing import after_response, outbox
from django_stream.publishing.backfill import republish
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.parking import retry_parked
from django_stream.publishing.publisher import (
    Change,
    Dependents,
    Desired,
    Unpublishable,
    publisher_for,
)
from django_stream.tracking import drain
from tests.faults import BreakingTransport, Clock, answering, client_over
from tests.testapp.models import Article, Opinion, Tag

FeedOf = Callable[..., list[dict[str, Any]]]


@pytest.mark.django_db(transaction=True)
def test_a_drain_that_fails_after_the_commit_does_not_break_the_caller(
    ada: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any, **more: Any) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(after_response, "drain", fail)
    with caplog.at_level(logging.ERROR, "django_stream.publishing"):
        Tag.objects.create(name="a", user=ada)

    assert Tag.objects.get().name == "a"
    assert OutboxEntry.objects.count() == 1
    assert "on purpose" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("receiver", ["changes_published", "changes_parked", "changes_failed"])
def test_a_receiver_that_fails_does_not_break_the_drain(
    receiver: str, ada: User, clock: Clock, settings: Any
) -> None:
    def fail(**told: Any) -> None:
        raise RuntimeError("on purpose")

    settings.STREAM_OUTBOX_MAX_ATTEMPTS = 1 if receiver == "changes_parked" else 9
    Tag.objects.create(name="a", user=ada)
    busy = [] if receiver == "changes_published" else [_answer("InternalException", 500)] * 9
    signal = getattr(signals, receiver)
    signal.connect(fail, weak=False, dispatch_uid="test")
    try:
        report = drain(client=client_over(BreakingTransport(*map(answering, busy))), clock=clock)
    finally:
        signal.disconnect(dispatch_uid="test")
    assert (report.published, report.failed, report.parked) == {
        "changes_published": (1, 0, 0),
        "changes_failed": (0, 1, 0),
        "changes_parked": (0, 0, 1),
    }[receiver]


def _answer(name: str, status: int) -> ApiResponse:
    return ApiResponse(status, ApiError.named(name, "on purpose").envelope() | {"duration": "1ms"})


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "status"), [("InternalException", 503), ("RateLimitReached", 429)])
def test_a_batch_that_may_pass_later_is_not_sent_again_one_by_one(
    name: str, status: int, ada: User, clock: Clock
) -> None:
    with nudges_held():
        Tag.objects.bulk_create([Tag(name=letter, user=ada) for letter in "abc"])
    road = BreakingTransport(*[answering(_answer(name, status))] * 99)

    report = drain(client=client_over(road), clock=clock)

    assert report.failed == 3
    assert road.requests == [f"POST feed/user/{ada.pk}/"]


@pytest.mark.django_db
def test_what_is_gone_already_can_be_withdrawn(ada: User, grace: User, feed_of: FeedOf) -> None:
    article = Article.objects.create(author=ada, title="one")
    opinion = Opinion.objects.create(user=grace, article=article, text="good")
    drain()
    [record] = Publication.objects.get(model_label__startswith="testapp.Opinion").records
    get_client().reactions.delete(record["id"])
    feed = get_client().feed("user", str(ada.pk))
    feed.remove_activity(foreign_id=f"testapp.Article:{article.pk}")

    opinion.delete()
    article.delete()

    report = drain()
    assert (report.failed, report.parked) == (0, 0)
    assert not OutboxEntry.objects.exists()
    assert not Publication.objects.exists()


@pytest.mark.django_db
def test_a_reaction_that_somebody_deleted_comes_back_with_its_next_change(ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada, title="one")
    opinion = Opinion.objects.create(user=grace, article=article, text="good")
    drain()
    [record] = Publication.objects.get(model_label__startswith="testapp.Opinion").records
    get_client().reactions.delete(record["id"])

    opinion.text = "better"
    opinion.save()

    assert drain().published == 1
    assert get_client().reactions.get(record["id"])["data"] == {"text": "better"}
    # The ledger may be lost, and the reaction still be there.
    Publication.objects.filter(model_label__startswith="testapp.Opinion").delete()
    opinion.text = "best"
    opinion.save()
    assert drain().published == 1
    assert get_client().reactions.get(record["id"])["data"] == {"text": "best"}


class Killed(BaseException):
    """No `except Exception` stops it."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "step",
    [
        pytest.param("UPDATE", id="the ledger is settled"),
        pytest.param("INSERT", id="what depends on it is noted"),
    ],
)
def test_a_worker_killed_while_it_settles_has_settled_nothing(
    step: str, ada: User, grace: User, clock: Clock, feed_of: FeedOf
) -> None:
    with nudges_held():
        article = Article.objects.create(author=ada, title="one")
        Opinion.objects.create(user=grace, article=article, text="good")
        OutboxEntry.objects.exclude(model_label="testapp.Article").delete()
    table = Publication if step == "UPDATE" else OutboxEntry
    outbox = connection.ops.quote_name(OutboxEntry._meta.db_table)
    settling: list[bool] = []

    def kill(execute: Any, sql: str, *rest: Any) -> Any:
        settling.extend([True] * (sql.startswith("DELETE ") and f"FROM {outbox}" in sql))
        if settling and sql.startswith(step) and table._meta.db_table in sql:
            raise Killed
        return execute(sql, *rest)

    with pytest.raises(Killed), connection.execute_wrapper(kill):
        drain(clock=clock)
    assert OutboxEntry.objects.count() == 1, "what is not settled is still to be done"

    clock.forward(minutes=6)
    drain(clock=clock)
    drain(clock=clock)
    assert [entry["title"] for entry in feed_of("user", ada)] == ["one"]
    assert Publication.objects.filter(lease=None, attempts=0).count() == 2


@pytest.mark.django_db(databases=["default", "other"], transaction=True)
def test_notes_of_another_database_inside_a_block_go_to_their_own(ada: User, feed_of: FeedOf) -> None:
    """A receiver of the deletion of one database's rows writes rows of the other."""
    eve = User.objects.using("other").create(username="eve", pk=4711)
    Tag(name="there", user=eve).save(using="other")

    def remember(instance: Tag, **_: Any) -> None:
        Tag(name=f"was {instance.name}", user=ada).save(using="default")

    post_delete.connect(remember, sender=Tag, dispatch_uid="test")
    try:
        with nudges_held():
            Tag.objects.using("other").all().delete()
    finally:
        post_delete.disconnect(sender=Tag, dispatch_uid="test")

    noted = {name: set(OutboxEntry.objects.using(name).values_list("object_key", flat=True)) for name in BOTH}
    assert noted == {"default": {"was there"}, "other": {"there"}}
    drain()
    assert [entry["object"] for entry in feed_of("user", ada)] == ["testapp.Tag:was there"]


BOTH = ("default", "other")


@pytest.mark.django_db
def test_a_block_that_failed_collects_nothing_any_more(ada: User) -> None:
    with pytest.raises(ZeroDivisionError), outbox.noted_together("default"):
        raise ZeroDivisionError
    Tag.objects.create(name="a", user=ada)
    assert OutboxEntry.objects.count() == 1


class ReadsElsewhere:
    """A router that sends reads to a replica, which has nothing yet."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *rows: Any, **hints: Any) -> bool:
        return True


def _creates(ada: User) -> None:
    Tag.objects.bulk_create([Tag(name="b", user=ada)])


def _updates(ada: User) -> None:
    Tag.objects.filter(name="a").update(created_at="2026-01-01T00:00Z")


def _deletes(ada: User) -> None:
    Tag.objects.filter(name="a").delete()


def _republishes(ada: User) -> None:
    assert republish(Tag.objects.filter(name="a")) == 1


def test_what_is_published_again_is_bulk_work(ada: User) -> None:
    tag = Tag.objects.create(name="a", user=ada)
    OutboxEntry.objects.all().delete()
    for rows in (tag, [tag], Tag.objects.all()):
        assert republish(rows) == 1
    assert set(OutboxEntry.objects.values_list("bulk", flat=True)) == {True}


@pytest.mark.django_db(databases=["default", "other"])
@pytest.mark.parametrize("change", [_creates, _updates, _deletes, _republishes])
def test_bulk_operations_are_noted_where_their_rows_are_written(
    change: Callable[[User], None], ada: User, settings: Any
) -> None:
    Tag.objects.create(name="a", user=ada)
    drain()
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsElsewhere"]

    with transaction.atomic():
        change(ada)

    assert OutboxEntry.objects.using("default").count() == 1
    assert OutboxEntry.objects.using("other").count() == 0


def _raising(at: str, key: str) -> Callable[..., Iterator[Dependents]]:
    """`dependents` of a site, whose code fails for one object."""

    def keys(is_bad: bool) -> Iterator[str]:
        yield "1"
        if is_bad and at == "a key":
            raise ValueError("on purpose")

    def told(is_bad: bool) -> Iterator[Dependents]:
        yield Dependents("testapp.Article", keys(is_bad))
        if is_bad and at == "the end":
            raise ValueError("on purpose")

    def dependents(changes: Collection[Change], using: str) -> Iterator[Dependents]:
        is_bad = key in {change.key for change in changes}
        if is_bad and at == "the call":
            raise ValueError("on purpose")
        if is_bad and at == "a statement":
            with connections[using].cursor() as cursor:
                cursor.execute("SELECT * FROM no_such_table")
        return told(is_bad)

    return dependents


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at", ["the call", "a statement", "the end", "a key"])
@pytest.mark.parametrize("is_gone", [False, True], ids=["there", "gone"])
def test_an_object_of_which_nobody_can_say_what_depends_on_it_stops_nobody_else(
    at: str,
    is_gone: bool,
    ada: User,
    feed_of: FeedOf,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with nudges_held():
        for name in "abc":
            Tag.objects.create(name=name, user=ada)
        if is_gone:
            drain(clock=clock)
            Tag.objects.all().delete()
    publisher = publisher_for("testapp.Tag")
    monkeypatch.setattr(publisher, "dependents", _raising(at, "b"))

    report = drain(clock=clock)

    # As with all of the site's code: what no later attempt would change waits for people.
    assert (report.published - report.kept_out, report.failed + report.parked) == (2, 1)
    assert "testapp.Tag b " in caplog.text
    assert len(feed_of("user", ada)) == (0 if is_gone else 3), "it was sent"
    assert OutboxEntry.objects.get(model_label="testapp.Tag").object_key == "b"
    monkeypatch.undo()
    asked: list[str] = []
    monkeypatch.setattr(
        publisher,
        "dependents",
        lambda changes, using: asked.extend(change.key for change in changes) or iter(()),
    )
    clock.forward(hours=1)
    retry_parked()
    drain(clock=clock)

    assert asked == ["b"], "what depends on it is asked for again"
    assert not OutboxEntry.objects.filter(model_label="testapp.Tag").exists()
    assert Publication.objects.filter(model_label="testapp.Tag").count() == (0 if is_gone else 3)


@pytest.mark.django_db(transaction=True)
def test_what_depends_on_a_row_that_was_taken_out_is_asked_for_until_it_is_told(
    ada: User, feed_of: FeedOf, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nudges_held():
        for name in "abc":
            Tag.objects.create(name=name, user=ada)
        drain(clock=clock)
        for tag in Tag.objects.all():
            tag.save()
    publisher = publisher_for("testapp.Tag")
    assert publisher is not None
    read = publisher.desired

    def desired(keys: Collection[str], using: str) -> Mapping[str, Desired | Exception]:
        return {**read(keys, using), **({"b": Unpublishable("on purpose")} if "b" in keys else {})}

    monkeypatch.setattr(publisher, "desired", desired)
    monkeypatch.setattr(publisher, "dependents", _raising("a key", "b"))
    assert drain(clock=clock).parked == 1
    assert len(feed_of("user", ada)) == 2

    asked: list[str] = []
    monkeypatch.setattr(
        publisher,
        "dependents",
        lambda changes, using: asked.extend(change.key for change in changes) or iter(()),
    )
    for _ in range(2):
        retry_parked()
        clock.forward(hours=1)
        assert drain(clock=clock).parked == 1, "it is no less unpublishable"
    assert asked == ["b"]
