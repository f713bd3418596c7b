"""What only its recipients may read: an activity that is in no feed of its actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, Publication
from django_stream.tracking import drain
from tests.testapp.shop import Note

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def follower(make_user: Callable[[str], User], ada: User) -> User:
    user = make_user("fan")
    feed_manager.follow_user(user, ada)
    return user


def where(feed_of: FeedOf, *owners: User) -> list[str]:
    report = drain()
    assert (report.failed, report.parked) == (0, 0), list(OutboxEntry.objects.values_list("reason"))
    slugs = ("user", "timeline", "notification")
    return [f"{slug}:{owner.username}" for owner in owners for slug in slugs if feed_of(slug, owner)]


def test_a_private_notice_is_read_by_its_recipients_alone(
    ada: User, grace: User, follower: User, feed_of: FeedOf
) -> None:
    note = Note.objects.create(user=ada)
    everybody = (ada, grace, follower)
    assert where(feed_of, *everybody) == []

    note.recipients.add(grace)
    assert where(feed_of, *everybody) == ["notification:grace"]

    note.recipients.add(follower)
    assert where(feed_of, *everybody) == ["notification:grace", "notification:fan"]

    # The first feed changes, and the activity moves.
    note.recipients.remove(grace)
    assert where(feed_of, *everybody) == ["notification:fan"]

    note.recipients.set([ada])
    assert where(feed_of, *everybody) == [], "nobody is told of what they did themselves"
    assert not Publication.objects.exists()


def test_the_feed_that_it_was_in_first_stays_a_recipients(
    ada: User, grace: User, follower: User, feed_of: FeedOf
) -> None:
    note = Note.objects.create(user=follower)
    note.recipients.add(grace)
    assert where(feed_of, ada, grace) == ["notification:grace"]

    note.recipients.add(ada)  # whose feed is before that of grace
    assert where(feed_of, ada, grace) == ["notification:ada", "notification:grace"]

    note.recipients.remove(grace)
    assert where(feed_of, ada, grace) == ["notification:ada"]


def test_what_becomes_private_leaves_the_feeds_of_followers(
    ada: User, grace: User, follower: User, feed_of: FeedOf
) -> None:
    note = Note.objects.create(user=ada, private=False)
    note.recipients.add(grace)
    everybody = (ada, grace, follower)
    assert where(feed_of, *everybody) == ["user:ada", "notification:grace", "timeline:fan"]

    Note.objects.update(private=True)
    assert where(feed_of, *everybody) == ["notification:grace"]

    Note.objects.update(private=False)
    assert where(feed_of, *everybody) == ["user:ada", "notification:grace", "timeline:fan"]

    Note.objects.update(private=True)
    assert where(feed_of, *everybody) == ["notification:grace"]
    note.delete()
    assert where(feed_of, *everybody) == []
