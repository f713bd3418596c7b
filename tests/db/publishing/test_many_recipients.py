"""More recipients than one activity may have targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, RecordedActivity
from django_stream.tracking import drain, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(make_user: Callable[[str], User]) -> list[User]:
    return User.objects.bulk_create(User(username=f"user{index:03}") for index in range(130))


def told(users: list[User]) -> set[str]:
    """Those whose notifications hold something, of whatever text."""
    return {one.username for one in users if feed_manager.get_notification_feed(one).get()["results"]}


def names(users: list[User]) -> set[str]:
    return {one.username for one in users}


def invite(ada: User, users: list[User], **extra: Any) -> RecordedActivity:
    row = record(actor=ada, verb="invited", to=users, key="party", extra=extra)
    drain()
    assert not OutboxEntry.objects.exists()
    return row


@pytest.mark.parametrize("to_only", [False, True])
def test_all_of_them_are_told_and_all_lose_it_again(ada: User, many: list[User], to_only: bool) -> None:
    row = record(actor=ada, verb="invited", to=many, to_only=to_only)
    drain()
    assert not OutboxEntry.objects.exists()
    assert told(many) == names(many)
    assert len(feed_manager.get_user_feed(ada).get()["results"]) == (not to_only)

    row.delete()
    drain()
    assert told(many) == set()


def test_some_are_disinvited_and_others_come(ada: User, many: list[User]) -> None:
    invite(ada, many[:125])
    assert told(many) == names(many[:125])

    for invited in (many[10:], many[:100], many[50:], many[:3], many):
        invite(ada, invited)
        assert told(many) == names(invited)


def test_a_change_reaches_all_of_them_once(ada: User, many: list[User]) -> None:
    invite(ada, many, place="here")
    invite(ada, many, place="there")

    for user in (many[0], many[-1]):
        (group,) = feed_manager.get_notification_feed(user).get()["results"]
        assert [one["place"] for one in group["activities"]] == ["there"]


def test_feeds_with_followers_are_targets_and_not_further_feeds(ada: User, many: list[User]) -> None:
    reader = many[0]
    feed_manager.follow_feed(reader, "user", many[1])
    record(actor=ada, verb="invited", to=[*many, f"user:{many[1].pk}"])
    drain()

    assert [one["verb"] for one in feed_manager.get_feed("timeline", reader).get()["results"]] == ["invited"]


def test_a_group_that_is_missing_is_told_and_the_others_get_it(ada: User, many: list[User]) -> None:
    record(actor=ada, verb="invited", to=[*many, *(f"nowhere:{index}" for index in range(101))])
    drain()

    assert told(many) == names(many)
    assert "no such feed group" in OutboxEntry.objects.get().reason


def test_what_failed_half_way_is_completed(
    ada: User, many: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(feed_manager.client), "add_to_many", broken)
        record(actor=ada, verb="invited", to=many)
        drain()
    assert 0 < len(told(many)) < len(many)

    OutboxEntry.objects.update(due_at="2020-01-01T00:00:00Z")
    drain()
    assert told(many) == names(many)
