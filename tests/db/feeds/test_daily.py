"""What one does with a feed every day beside reading it: filter, mark unread, count, trim, clear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import Any, cast

import pytest
from django.contrib.auth.models import User

from django_stream import feeds
from django_stream.activities.model_references import reference_of
from django_stream.client import StreamClient
from django_stream.feeds import feed_manager
from django_stream.feeds.follow_lists import PeopleReader
from django_stream.feeds.paging import FeedReader
from django_stream.feeds.tending import trim
from tests.extras import needs

pytestmark = pytest.mark.django_db
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def meals(ada: User, grace: User) -> list[str]:
    """Foreign ids of a timeline, newest first: ada cooks and grace eats."""
    for author in (ada, grace):
        feed_manager.follow_user(ada, author)
    names = [f"meal:{number}" for number in range(60)]
    for number, name in enumerate(names):
        author = (ada, grace)[number % 2]
        feed_manager.get_user_feed(author).add_activity(
            {
                "actor": reference_of(author),
                "verb": ("cook", "eat, slowly", "clean")[number % 3],
                "object": reference_of(author),
                "foreign_id": name,
                "time": BEGIN + timedelta(minutes=number),
            }
        )
    return names[::-1]


def names(page: Any) -> list[str]:
    return [one["foreign_id"] for one in page]


@pytest.mark.parametrize("knows", [True, False], ids=["our server", "a home that knows no filters"])
def test_pages_of_a_verb_or_an_actor(
    meals: list[str], ada: User, grace: User, knows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not knows:
        monkeypatch.setattr("django_stream.server.handlers.feeds._FILTERS", ())
    timeline = feeds.timeline(ada)

    first = timeline.page(limit=7, verb="eat, slowly")
    rest = timeline.page(limit=25, cursor=first.next, verb="eat, slowly")
    assert names(first) + names(rest) == [name for name in meals if int(name[5:]) % 3 == 1]
    assert rest.next is None
    assert names(timeline.page(limit=100, actor=grace)) == [name for name in meals if int(name[5:]) % 2]
    assert names(timeline.page(limit=100, actor=[grace], verb=["cook", "clean"])) == [
        name for name in meals if int(name[5:]) % 2 and int(name[5:]) % 3 != 1
    ]
    assert names(timeline.page(verb="sleep")) == []


def test_a_filter_looks_at_a_bounded_number_of_rows(
    meals: list[str], ada: User, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("django_stream.server.reads.feeds._STEP", 10)
    monkeypatch.setattr("django_stream.server.reads.feeds._LOOKED_AT_MAX", 20)

    with django_assert_max_num_queries(3):
        answer = feed_manager.get_feed("timeline", ada).get(limit=5, verb="sleep")

    assert (answer["results"], bool(answer["next"])) == ([], True)


def test_ranked_feeds_say_that_they_have_no_filters(meals: list[str], ada: User) -> None:
    from django_stream.client.exceptions import StreamApiException

    with pytest.raises(StreamApiException, match="not filtered"):
        feed_manager.get_feed("timeline", ada).get(ranking="popularity", verb="cook")


def test_a_feed_is_read_from_its_oldest_entry_on(meals: list[str], ada: User, grace: User) -> None:
    found, cursor = [], None
    for _ in range(10):
        page = feeds.timeline(ada).page(limit=25, cursor=cursor, order="oldest")
        found += names(page)
        if (cursor := page.next) is None:
            break
    assert found == meals[::-1]

    first = feeds.timeline(ada).page(limit=4, order="oldest", verb="cook")
    rest = feeds.timeline(ada).page(limit=100, order="oldest", verb="cook", cursor=first.next)
    assert names(first) + names(rest) == [name for name in meals[::-1] if int(name[5:]) % 3 == 0]


def test_rows_that_are_gone_are_made_up_for_from_the_other_end_too(ada: User, grace: User) -> None:
    for number in range(12):
        actor = reference_of(grace) if number % 3 else "auth.User:99999"
        feed_manager.get_user_feed(ada).add_activity(
            {
                "actor": actor,
                "verb": "v",
                "object": "x",
                "foreign_id": f"n:{number}",
                "time": BEGIN + timedelta(0, number),
            }
        )
    first = feeds.profile(ada).page(limit=3, order="oldest")
    rest = feeds.profile(ada).page(limit=50, order="oldest", cursor=first.next)

    assert names(first) + names(rest) == [f"n:{number}" for number in range(12) if number % 3]


@pytest.mark.parametrize("order", ["oldest", "upwards"])
def test_other_feeds_have_an_order_of_their_own(meals: list[str], ada: User, order: str) -> None:
    from django_stream.client.exceptions import StreamApiException

    with pytest.raises(StreamApiException):
        feed_manager.get_feed("timeline_aggregated", ada).get(order=order)


@pytest.fixture
def notified(ada: User, grace: User) -> list[str]:
    feed = feed_manager.get_notification_feed(ada)
    for number in range(20):
        feed.add_activity(
            {
                "actor": reference_of(grace),
                "verb": f"verb{number % 4}",
                "object": reference_of(grace),
                "foreign_id": f"note:{number}",
                "time": BEGIN + timedelta(minutes=number),
            }
        )
    return [group["id"] for group in feed.get()["results"]]


@needs("aggregation")
def test_what_was_read_is_unread_again(notified: list[str], ada: User) -> None:
    reader = feeds.notifications(ada)
    reader.page(mark_read=True, mark_seen=True)
    assert reader.page().unread == 0

    reader.page(limit=1, mark_unread=[notified[1]])
    page = reader.page()
    assert [group["id"] for group in page if not group["is_read"]] == [notified[1]]
    assert (page.unread, page.unseen) == (1, 0)

    reader.page(mark_unread=True)
    assert reader.page().unread == 4


@needs("aggregation")
def test_a_filter_leaves_the_badge_as_it_is(notified: list[str], ada: User) -> None:
    page = feeds.notifications(ada).page(verb="verb1")

    assert [group["verb"] for group in page] == ["verb1"]
    assert (page.unread, page.unseen) == (4, 4)


@needs("aggregation")
def test_nobody_marks_the_notifications_of_others(notified: list[str], ada: User, grace: User) -> None:
    from django_stream.client.exceptions import NotAllowedException

    feed = feed_manager.get_notification_feed(ada)
    stranger: StreamClient = feed_manager.client.as_user(str(grace.pk))
    with pytest.raises(NotAllowedException):
        stranger.feed(feed.slug, feed.user_id).get(mark_unread=True)


@needs("aggregation")
def test_unread_rows_stand_beside_the_groups(notified: list[str], ada: User) -> None:
    reader = feeds.notifications(ada)
    reader.page(mark_read=[notified[0]])

    rows = reader.unread_activities(limit=5)

    assert names(rows) == [f"note:{number}" for number in (18, 17, 16, 14, 13)]
    assert rows[0]["actor"].username == "grace"


@needs("aggregation")
def test_unread_rows_are_looked_for_until_all_are_met(
    notified: list[str], ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = feeds.notifications(ada)
    reads: list[Any] = []
    get = type(reader.feed).get

    def unread() -> int:
        reads.clear()
        with monkeypatch.context() as patched:
            patched.setattr("django_stream.protocol.limits.PAGE_MAX", 1)
            patched.setattr(
                type(reader.feed), "get", lambda *args, **options: reads.append(1) or get(*args, **options)
            )
            return len({one["id"] for one in reader.unread_activities(limit=100)})

    assert (unread(), len(reads)) == (20, 4)
    reader.page(mark_read=notified[1:])
    assert (unread(), len(reads)) == (5, 1), "all below is read, and nothing is read for counts alone"


def test_a_page_has_25_where_nobody_says_how_many(meals: list[str], ada: User, grace: User) -> None:
    notifications = feeds.notifications(grace)
    for number in range(30):
        # In three groups, of which none shows more than its 15 newest.
        verb = ("cook", "eat", "clean")[number % 3]
        meal = {"actor": reference_of(ada), "verb": verb, "object": reference_of(grace)}
        notifications.feed.add_activity({**meal, "foreign_id": f"meal:{number}", "time": BEGIN})
        feed_manager.follow_user(User.objects.create(username=f"fan {number}"), ada)
    assert len(feeds.timeline(ada).page()) == 25
    assert len(notifications.unread_activities()) == 25
    assert len(feeds.followers(ada).page()) == 25


@pytest.mark.parametrize("reader", [FeedReader, PeopleReader])
def test_a_page_is_asked_for_alike_by_both_kinds_of_views(reader: Any) -> None:
    assert signature(reader.page).parameters == signature(reader.apage).parameters


def test_the_size_of_a_feed(meals: list[str], ada: User) -> None:
    assert feeds.timeline(ada).size() == 60
    assert feeds.timeline(ada).size(most=7) == 7
    assert feeds.feed("user:nobody").size() == 0


def test_a_feed_is_trimmed_and_cleared_and_others_keep_what_they_have(
    meals: list[str], ada: User, grace: User
) -> None:
    timeline = feeds.timeline(ada)

    assert timeline.trim(keep=5) == 55
    assert names(timeline.page(limit=100)) == meals[:5]
    assert feeds.profile(grace).size() == 30
    assert timeline.clear() == 5
    assert timeline.size() == 0
    with pytest.raises(ValueError, match="keep"):
        timeline.trim(keep=-1)


def test_trimming_ends_where_pages_still_show_what_was_removed(ada: User) -> None:
    class Lagging:
        """A feed that is read from a replica which stands still."""

        removed: list[str] = []

        def get(self, **options: Any) -> Any:
            return {"results": [{"id": f"{number}"} for number in range(3)]}

        def remove_activity(self, activity_id: str) -> None:
            self.removed.append(activity_id)

    assert trim(cast("Any", Lagging()), 0) == 3
    assert Lagging.removed == ["0", "1", "2"]


@needs("aggregation")
def test_groups_with_more_activities_than_are_listed_are_cleared_too(ada: User) -> None:
    feed = feed_manager.get_notification_feed(ada)
    for number in range(20):
        feed.add_activity(
            {
                "actor": "x",
                "verb": "v",
                "object": "y",
                "foreign_id": f"n:{number}",
                "time": BEGIN + timedelta(0, number),
            }
        )

    assert feeds.notifications(ada).clear() == 20
    assert feed.get()["results"] == []
