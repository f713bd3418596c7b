"""Many write to the same feeds at once on PostgreSQL, and nobody waits for who waits for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, connections, transaction

from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server import feed_store
from django_stream.server.conf import server_settings
from django_stream.server.models import ActivityGroup, Feed
from django_stream.server.timelines import group_marks
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
        return group_marks.unmark(7, "all")

    with transaction.atomic():
        turn = Database.to_write(ActivityGroup).where(group_marks.turn(7))
        Database.to_write(ActivityGroup).rows(f"SELECT 1 WHERE {turn.text}", turn.params)
        with pytest.raises(OperationalError, match="lock timeout"):
            at_once(unmark, [1])
    assert at_once(unmark, [1]) == [False]


def test_within_a_transaction_no_feed_is_held_while_another_one_is_made():
    own = server_settings.own_app_id
    old, new = FeedID("user", "old"), FeedID("user", "new")
    feeds = feed_store.ensure(own, [old])

    def impatient() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")

    def take(_: object) -> int:
        with transaction.atomic():
            impatient()
            return len(feed_store.lock(feeds.values()))

    def write(_: object) -> list[int]:
        with transaction.atomic():
            impatient()
            # Somebody else makes the new one, and is not done yet.
            with pytest.raises(OperationalError, match="lock timeout"), feed_store.writing(own, [old, new]):
                pass
            return at_once(take, [1])

    with transaction.atomic():
        Feed.objects.create(application_id=own, slug=new.slug, user_id=new.user_id)
        assert at_once(write, [1]) == [[1]]
