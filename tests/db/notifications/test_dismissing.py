"""What was dismissed is gone from the page and from the badge, until something new joins it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User

from django_stream import feeds
from django_stream.notifications import adismiss, adismiss_all, dismiss, dismiss_all
from django_stream.notifications.models import Dismissal
from django_stream.tracking import drain
from tests.db.notifications.conftest import DAY, NOON, Tell
from tests.testapp.models import Block, Moment, Mute, Praise

pytestmark = pytest.mark.django_db


def shown(user: User) -> list[Any]:
    return [entry["id"] for entry in feeds.notifications(user).page(limit=100)]


def counts(user: User) -> tuple[int | None, int | None, int]:
    page = feeds.notifications(user).page(limit=1)
    return page.unseen, page.unread, feeds.unseen(user)


@pytest.mark.parametrize("by_id", [True, False])
def test_one_is_gone_and_the_others_stay(by_id: bool, tell: Tell, grace: User) -> None:
    tell(created_at=NOON)
    tell(created_at=NOON + DAY)
    newer, older = feeds.notifications(grace).page()

    assert dismiss(grace, older["id"] if by_id else older)

    assert shown(grace) == [newer["id"]]
    assert counts(grace) == (1, 1, 1)


def test_what_joins_a_dismissed_one_brings_it_back(
    praise: Callable[..., Praise], grace: User, make_user: Any
) -> None:
    praise(created_at=NOON)
    (entry,) = feeds.notifications(grace).page()
    dismiss(grace, entry)
    assert shown(grace) == []
    # Of two in one day, the one was done later, and the other has come later.
    for number, moment in enumerate((NOON + timedelta(hours=1), NOON - timedelta(hours=1)), start=2):
        praise(make_user(f"fan{number}"), created_at=moment)
        (entry,) = feeds.notifications(grace).page()
        assert entry["activity_count"] == number
        assert counts(grace) == (1, 1, 1)
        assert dismiss(grace, entry)
        assert shown(grace) == []


def of_muted(grace: User, fan: User) -> None:
    Mute.objects.create(by=grace, of=fan)


def of_blocked(grace: User, fan: User) -> None:
    Block.objects.create(by=fan, of=grace)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("hide", [of_muted, of_blocked])
@pytest.mark.parametrize("every", [True, False])
def test_who_cannot_be_shown_brings_nothing_back(
    hide: Any, every: bool, praise: Callable[..., Praise], grace: User, make_user: Any
) -> None:
    fan, late, other = make_user("fan"), make_user("late"), make_user("other")
    for one in (fan, late):
        hide(grace, one)
    praise(created_at=NOON)
    (entry,) = feeds.notifications(grace).page()
    dismiss_all(grace) if every else dismiss(grace, entry)

    praise(fan, created_at=NOON + timedelta(hours=1))
    assert (shown(grace), counts(grace)) == ([], (0, 0, 0))
    praise(late, created_at=NOON - timedelta(hours=1))
    assert (shown(grace), counts(grace)) == ([], (0, 0, 0))

    praise(other, created_at=NOON + timedelta(hours=2))
    (entry,) = feeds.notifications(grace).page()
    assert [one["actor"].username for one in entry["activities"]] == ["other", "ada"]
    assert counts(grace) == (1, 1, 1)


def test_one_that_has_changed_since_the_page_was_read_stays(
    praise: Callable[..., Praise], grace: User, make_user: Any
) -> None:
    praise(created_at=NOON)
    (entry,) = feeds.notifications(grace).page()
    praise(make_user("other"), created_at=NOON + timedelta(hours=1))

    assert not dismiss(grace, entry["id"])
    assert len(shown(grace)) == 1


@pytest.mark.parametrize("wrong", ["", "nonsense", "0dd06f47-e5c6-11f1-8080-80002d5d9a4b.x", "\x00", "a,b"])
def test_what_is_not_there_is_not_dismissed(wrong: str, tell: Tell, grace: User) -> None:
    tell()
    assert not dismiss(grace, wrong)
    assert len(shown(grace)) == 1
    assert not Dismissal.objects.exists()


def test_all_are_gone_and_one_row_says_so(articles: Callable[[int], None], tell: Tell, grace: User) -> None:
    articles(30)
    dismiss(grace, feeds.notifications(grace).page()[3])
    dismiss_all(grace)
    dismiss_all(grace)

    assert Dismissal.objects.count() == 1
    assert shown(grace) == []
    assert counts(grace) == (0, 0, 0)
    page = feeds.notifications(grace).page(limit=2)
    assert page.next is None, "nothing is looked for in vain"

    tell()
    assert (len(shown(grace)), counts(grace)) == (1, (1, 1, 1))


def test_all_of_nothing_is_nothing(grace: User) -> None:
    dismiss_all(grace)
    assert not Dismissal.objects.exists()


def test_what_was_written_before_and_comes_after_is_shown(tell: Tell, grace: User) -> None:
    tell(created_at=NOON)
    dismiss_all(grace)
    tell("late", created_at=NOON - DAY)

    assert (len(shown(grace)), counts(grace)) == (1, (1, 1, 1))


def test_dismissals_are_of_one_user(tell: Tell, ada: User, grace: User, make_user: Any) -> None:
    moment = tell()
    other = make_user("other")
    moment.mentioned.add(other)
    moment.save()
    drain()
    dismiss_all(grace)

    assert (len(shown(other)), feeds.unseen(other)) == (1, 1)
    # Others who look at these notifications, such as the staff, see what there is.
    assert len(feeds.notifications(grace).seen_by(feeds.SEES_ALL).page()) == 1
    grace.delete()
    assert not Dismissal.objects.exists()


def test_the_dismissed_members_of_a_group_that_shrinks_stay_dismissed(
    praise: Callable[..., Praise], ada: User, grace: User, make_user: Any
) -> None:
    first, second = praise(ada), praise(make_user("other"))
    assert len(shown(grace)) == 1
    dismiss_all(grace)
    second.delete()
    drain()
    assert shown(grace) == []
    first.delete()
    drain()
    assert shown(grace) == []


@pytest.mark.parametrize("size", [2, 20])
def test_it_costs_the_same_for_few_and_many(
    size: int, articles: Callable[[int], None], grace: User, django_assert_max_num_queries: Any
) -> None:
    articles(size)
    entries = feeds.notifications(grace).page(limit=100)
    with django_assert_max_num_queries(21):
        dismiss(grace, entries[0])
    with django_assert_max_num_queries(22):
        dismiss_all(grace)
    with django_assert_max_num_queries(5):
        assert shown(grace) == []


@pytest.mark.django_db(transaction=True)
def test_asynchronous_views_dismiss_too(tell: Tell, grace: User) -> None:
    tell(created_at=NOON)
    tell(created_at=NOON + DAY)

    async def view() -> list[int]:
        page = await feeds.notifications(grace).apage()
        assert await adismiss(grace, page[0])
        left = len(await feeds.notifications(grace).apage())
        await adismiss_all(grace)
        return [left, await feeds.aunseen(grace)]

    assert async_to_sync(view)() == [1, 0]
    assert Moment.objects.count() == 2
