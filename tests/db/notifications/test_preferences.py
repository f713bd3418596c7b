"""People hear of what they want to hear of, where they want to, and not twice of the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.utils import timezone

from django_stream import feeds
from django_stream.feeds import feed_manager
from django_stream.notifications import (
    Channels,
    apreferences,
    aset_digest,
    aset_preference,
    preferences,
    set_digest,
    set_preference,
)
from django_stream.notifications.entries import key_of_deed
from django_stream.notifications.lens import forget_told
from django_stream.notifications.models import Told
from django_stream.protocol.wire import members
from django_stream.tracking import drain
from tests.db.notifications.conftest import DAY, Tell
from tests.testapp.models import Moment, Praise

pytestmark = pytest.mark.django_db

Praised = Callable[..., Praise]


def shown(user: User) -> list[Any]:
    return list(feeds.notifications(user).page(limit=100))


def test_a_verb_that_is_not_wanted_is_neither_shown_nor_counted(
    tell: Tell, praise: Praised, grace: User
) -> None:
    tell()
    praise()
    set_preference(grace, "praise", in_feed=False)

    assert [entry["verb"] for entry in shown(grace)] == ["moment"]
    page = feeds.notifications(grace).page()
    assert (page.unseen, page.unread, feeds.unseen(grace)) == (1, 1, 1)

    set_preference(grace, "praise", in_feed=True)
    assert {entry["verb"] for entry in shown(grace)} == {"moment", "praise"}


def test_what_was_chosen_is_told(grace: User, settings: Any) -> None:
    assert preferences(grace).digest == "off"
    settings.STREAM_NOTIFICATIONS_DIGEST = "weekly"
    assert (dict(preferences(grace).verbs), preferences(grace).digest) == ({}, "weekly")

    assert set_preference(grace, "like", by_email=False) == Channels(in_feed=True, by_email=False)
    assert set_preference(grace.pk, "like", in_feed=False) == Channels(in_feed=False, by_email=False)
    set_digest(grace, "daily")

    assert preferences(grace).verbs == {"like": Channels(in_feed=False, by_email=False)}
    assert preferences(grace.pk).digest == "daily"


def test_what_cannot_be_chosen_is_refused(grace: User) -> None:
    with pytest.raises(ValueError, match="Did you mean 'daily'"):
        set_digest(grace, "dayly")
    for verb in ("", "x" * 256, "\x00", 3):
        with pytest.raises(ValueError, match="a verb is a text"):
            set_preference(grace, verb, in_feed=False)  # type: ignore[arg-type]
    assert preferences(grace).verbs == {}


@pytest.mark.parametrize("mark", [True, "ids"])
@pytest.mark.parametrize("door", ["page", "mark"])
def test_what_is_done_again_is_not_new_again(
    mark: Any, door: str, praise: Praised, ada: User, grace: User
) -> None:
    first = praise(ada)
    (entry,) = shown(grace)
    which = True if mark is True else [entry["id"]]
    reader = feeds.notifications(grace)
    reader.page(mark_seen=which) if door == "page" else reader.mark(seen=which)
    first.delete()
    drain()
    assert shown(grace) == []

    praise(ada)

    (again,) = shown(grace)
    assert (again["is_seen"], again["is_read"]) == (True, False)
    page = feeds.notifications(grace).page()
    assert (page.unseen, page.unread, feeds.unseen(grace)) == (0, 1, 0)


@pytest.mark.parametrize(("told", "expected"), [(12, 0), (8, 0), (6, 2), (1, 7), (0, 12)])
def test_what_was_told_before_is_counted_nowhere(
    told: int, expected: int, articles: Callable[[int], None], grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles(12)
    entries = feed_manager.get_notification_feed(grace).get(limit=100)["results"][:told]
    keys = {key_of_deed(one) for entry in entries for one in members(entry)}
    Told.objects.bulk_create(Told(user=grace, key=key, told_at=timezone.now(), was_seen=True) for key in keys)
    monkeypatch.setattr("django_stream.protocol.limits.PAGE_MAX", 3)
    monkeypatch.setattr("django_stream.feeds.badges._LOOKED_AT", 6)
    monkeypatch.setattr("django_stream.feeds.badges._LOOKED_AT_MOST", 8)

    # Of what is below those that were looked at, it is not known which were told, if some were.
    assert feeds.unseen(grace) == expected
    assert feeds.notifications(grace).page(limit=2).unseen == expected


def test_what_was_read_is_read(praise: Praised, ada: User, grace: User) -> None:
    first = praise(ada)
    feeds.notifications(grace).page(mark_seen=True)
    feeds.notifications(grace).page(mark_read=True)
    first.delete()
    praise(ada)

    page = feeds.notifications(grace).page()
    assert (page.unseen, page.unread, page[0]["is_read"]) == (0, 0, True)


def test_what_was_never_looked_at_is_new_as_before(praise: Praised, ada: User, grace: User) -> None:
    praise(ada).delete()
    praise(ada)
    assert feeds.unseen(grace) == 1


def test_somebody_else_is_new(praise: Praised, ada: User, grace: User, make_user: Any) -> None:
    first = praise(ada)
    feeds.notifications(grace).page(mark_seen=True)
    first.delete()
    praise(ada)
    assert feeds.unseen(grace) == 0
    praise(make_user("other"))
    assert feeds.unseen(grace) == 1


def test_after_a_while_it_is_new_again(praise: Praised, ada: User, grace: User) -> None:
    with time_machine.travel(timezone.now() - 2 * DAY, tick=False):
        first = praise(ada)
        feeds.notifications(grace).page(mark_seen=True)
        first.delete()
        drain()
    praise(ada)
    assert feeds.unseen(grace) == 1

    feeds.notifications(grace).page(mark_seen=True)
    assert Told.objects.get().told_at > timezone.now() - DAY
    assert forget_told(timezone.now()) == 0
    assert forget_told(timezone.now() + 32 * DAY) == 1


@pytest.mark.parametrize("size", [1, 20])
def test_marking_costs_the_same_for_few_and_many(
    size: int, articles: Callable[[int], None], grace: User, django_assert_max_num_queries: Any
) -> None:
    articles(size)
    shown(grace)
    reader = feeds.notifications(grace)
    with django_assert_max_num_queries(MARKING):
        assert len(reader.page(limit=25, mark_seen=True)) == size
    assert Told.objects.count() == size


MARKING = 23


@pytest.mark.django_db(transaction=True)
def test_asynchronous_views_choose_too(grace: User) -> None:
    async def view() -> Any:
        await aset_preference(grace, "like", in_feed=False)
        await aset_digest(grace, "weekly")
        await feeds.notifications(grace).amark(seen=True)
        return await apreferences(grace)

    chosen = async_to_sync(view)()
    assert (chosen.verbs["like"].in_feed, chosen.digest) == (False, "weekly")
    assert not Moment.objects.exists()


def test_what_was_told_long_ago_goes_when_something_is_told(tell: Tell, grace: User) -> None:
    Told.objects.create(user=grace, key="old", told_at=timezone.now() - 400 * DAY)
    tell()
    feeds.notifications(grace).page(mark_seen=True)
    assert Told.objects.exclude(key="old").exists()
    assert not Told.objects.filter(key="old").exists()
