"""Many write to the same feeds at once on PostgreSQL, and nobody waits for who waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.actions import activities, placements, removals
from django_stream.server.activity_input import activity_inputs
from django_stream.server.conf import server_settings
from django_stream.server.models import Activity, ActivityGroup, Feed
from django_stream.server.timelines import group_marks, timelines
from tests.services.processes import wait_until
from tests.services.test_concurrent_reactions import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _on_postgresql() -> Iterator[None]:
    assert connection.vendor == "postgresql", (
        "these tests are about row locks: point DATABASE_URL at PostgreSQL"
    )
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


def test_who_marks_unread_waits_for_the_turn_of_the_feed():
    def unmark(_: object) -> bool:
        with connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return group_marks.mark(7, unread="all")

    with transaction.atomic():
        group_marks.take_turn(Database.to_write(ActivityGroup), 7)
        with pytest.raises(OperationalError, match="lock timeout"):
            at_once(unmark, [1])
    assert at_once(unmark, [1]) == [False]


def test_a_feed_that_goes_waits_for_who_marks_its_groups():
    def forget(feed: int) -> None:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
            timelines().forget(feed)

    with transaction.atomic():
        group_marks.take_turn(Database.to_write(ActivityGroup), 7)
        with pytest.raises(OperationalError, match="lock timeout"):
            at_once(forget, [7])
    assert at_once(forget, [7]) == [None]


def test_within_a_transaction_no_feed_is_held_while_another_one_is_made():
    own = server_settings.own_app_id
    old, new = FeedID("user", "old"), FeedID("user", "new")
    feeds = feed_store.ensure(own, [old])

    def write() -> None:
        try:
            with transaction.atomic(), feed_store.writing(own, [old, new]):
                pass
        finally:
            connection.close()

    def take(_: object) -> int:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            return len(feed_store.lock(feeds.values()))

    def somebody_waits() -> bool:
        return bool(Database.to_write(Feed).rows("SELECT 1 FROM pg_locks WHERE NOT granted", []))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            # Somebody else makes the new one, and is not done yet.
            Feed.objects.create(application_id=own, slug=new.slug, user_id=new.user_id)
            writer = pool.submit(write)
            wait_until(somebody_waits, "the writer waits", within=30)
            assert at_once(take, [1]) == [1]
        writer.result(30)


def test_within_a_transaction_nothing_is_held_while_feeds_are_chosen_again(monkeypatch: pytest.MonkeyPatch):
    """Another writer adds a target between the choice of the feeds and their locks."""
    own, home = server_settings.own_app_id, FeedID("user", "home")
    new = FeedID("notification", "a"), FeedID("notification", "b")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    (given,) = activity_inputs(
        [{"actor": "a", "verb": "v", "object": "o", "foreign_id": "x", "time": moment.isoformat()}], own
    )
    feeds = feed_store.ensure(own, [home, *new])
    placements.add(own, home, [given])
    lock, rounds = feed_store.lock_named, iter(range(10))
    taken: list[int] = []

    def locked(*args: Any) -> dict[FeedID, Feed]:
        """Once in each round, before anything is locked."""
        number = next(rounds)
        if number > 0:
            taken.extend(at_once(take, [1]))
        if number < len(new):
            at_once(target, [new[: number + 1]])
        return lock(*args)

    def target(names: tuple[FeedID, ...]) -> None:
        Activity.objects.filter(key=given.key).update(to=[str(name) for name in names])

    def take(_: object) -> int:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            return len(feed_store.lock(feeds.values())) + len(activities.lock(own, [given.key]))

    monkeypatch.setattr(feed_store, "lock_named", locked)
    with transaction.atomic():
        assert removals.remove(own, home, [given.key])
    assert taken == [4, 4]
    assert not Activity.objects.exists()
