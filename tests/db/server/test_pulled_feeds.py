"""Feeds with so many followers that these find what is placed there when they read."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from itertools import pairwise

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.server.fanout import jobs
from django_stream.server.models import (
    Activity,
    Exclusion,
    FanoutJob,
    Feed,
    Placement,
    PulledFeed,
    PulledPlacement,
    TimelineEntry,
)
from django_stream.server.timelines import Window, timelines
from tests.contract.calling import call, ids, ok, post

pytestmark = pytest.mark.django_db
FOLLOWERS = [f"timeline:{number}" for number in range(4)]
HEAVY = "user:heavy"


def time_of(number: int) -> str:
    return f"2026-01-01T10:{number // 60:02}:{number % 60:02}.000000"


def posted(number: int, feed: str = HEAVY, **fields) -> str:
    return post(feed, foreign_id=f"p:{number}", time=time_of(number), **fields)["id"]


def number_of(feed: str) -> int:
    slug, user_id = feed.split(":")
    return Feed.objects.get(slug=slug, user_id=user_id).pk


@pytest.fixture(autouse=True)
def heavy(settings) -> str:
    """The first post, which everybody is brought; with it, the feed is known to have many followers."""
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = 3
    ok("POST", "follow_many/", [{"source": name, "target": HEAVY} for name in FOLLOWERS])
    return posted(0)


def held(feed: str) -> int:
    return TimelineEntry.objects.filter(feed=number_of(feed)).count()


def test_what_comes_then_is_seen_by_all_and_written_once(heavy):
    new = [posted(number) for number in range(1, 4)]
    for name in FOLLOWERS:
        assert ids(name) == [*new[::-1], heavy]
        assert held(name) == 1
    item = ok("GET", f"feed/{FOLLOWERS[0].replace(':', '/')}/")["results"][0]
    assert item["origin"] == HEAVY


def test_a_feed_that_goes_leaves_nothing_to_be_found(heavy):
    posted(1)
    number = number_of(HEAVY)
    assert PulledPlacement.objects.filter(feed=number).exists()
    timelines().forget(number)
    assert not PulledPlacement.objects.filter(feed=number).exists()
    assert not PulledFeed.objects.filter(feed=number).exists()


def test_a_grouped_feed_is_brought_everything(heavy):
    ok("POST", "feed/aggregated/1/follows/", {"target": HEAVY})
    posted(1)
    [group] = ok("GET", "feed/aggregated/1/")["results"]
    assert group["activity_count"] == 2


def test_who_follows_later_has_what_was_copied_and_what_comes(heavy):
    old = [posted(number) for number in range(1, 4)]
    ok("POST", "feed/timeline/9/follows/", {"target": HEAVY, "activity_copy_limit": 2})
    ok("POST", "feed/timeline/8/follows/", {"target": HEAVY, "activity_copy_limit": 0})
    new = posted(4)
    assert ids("timeline:9") == [new, old[2], old[1]]
    assert ids("timeline:8") == [new]


def test_an_unfollow_takes_all_along_or_keeps_what_there_was(heavy):
    first = posted(1)
    ok("DELETE", f"feed/timeline/0/follows/{HEAVY}/")
    ok("DELETE", f"feed/timeline/1/follows/{HEAVY}/", keep_history="true")
    posted(2)
    assert ids("timeline:0") == []
    assert ids("timeline:1") == [first, heavy]
    ok("POST", "feed/timeline/1/follows/", {"target": HEAVY, "activity_copy_limit": 0})
    third = posted(3)
    assert ids("timeline:1") == [third, first, heavy]


def test_what_is_removed_is_gone_for_all_and_what_one_hides_for_that_one(heavy):
    first, second = posted(1), posted(2)
    ok("DELETE", f"feed/timeline/0/{second}/")
    assert ids("timeline:0") == [first, heavy]
    assert ids("timeline:0", limit=1) == [first]
    assert ids("timeline:1") == [second, first, heavy]
    ok("DELETE", f"feed/user/heavy/{first}/")
    assert [ids(name) for name in FOLLOWERS[:2]] == [[heavy], [second, heavy]]
    assert PulledPlacement.objects.count() == 1


def test_many_that_are_hidden_leave_a_page_full(heavy):
    new = [posted(number) for number in range(1, 9)]
    for one in new[2:]:
        ok("DELETE", f"feed/timeline/0/{one}/")
    assert Exclusion.objects.count() == 6
    assert ids("timeline:0", limit=2) == [new[1], new[0]]
    assert ids("timeline:0", limit=2, id_lt=new[1]) == [new[0], heavy]


def test_what_is_posted_late_is_brought(heavy):
    newer = posted(5)
    late = posted(3)
    assert ids("timeline:0") == [newer, late, heavy]
    assert held("timeline:0") == 2
    assert PulledPlacement.objects.count() == 1


def test_a_feed_that_has_fewer_followers_again_is_brought_to_them_and_back(heavy, settings):
    first = posted(1)
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = 7
    # It takes half as many for that: nobody changes sides with each follow.
    second = posted(2)
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = 1000
    third, fourth = posted(3), posted(4)
    assert not PulledFeed.objects.get().is_open
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = 3
    fifth, sixth = posted(5), posted(6)
    assert ids("timeline:0") == [sixth, fifth, fourth, third, second, first, heavy]
    assert PulledPlacement.objects.count() == 4
    assert held("timeline:0") == 3


def test_what_was_brought_and_is_posted_again_stays_brought(heavy):
    again = {"foreign_id": "p:0", "time": time_of(0)}
    post("user:other", to=[HEAVY], **again)
    ok("DELETE", f"feed/user/heavy/{heavy}/")
    brought = post("user:other", to=[HEAVY], foreign_id="p:9", time=time_of(9))["id"]
    PulledFeed.objects.all().delete()
    PulledPlacement.objects.all().delete()
    number = number_of("timeline:0")
    timelines().rebuild(number)
    posted(0)
    # Posted, and no longer by a `to` list alone: a change of a placement that was brought.
    posted(9)
    assert not PulledPlacement.objects.exists()
    before = timelines().snapshot(number)
    timelines().rebuild(number)
    assert timelines().snapshot(number) == before
    assert ids("timeline:0")[0] == brought


def test_a_rebuild_writes_what_is_brought_and_nothing_else(heavy):
    posted(1)
    number = number_of("timeline:0")
    before = timelines().snapshot(number)
    timelines().rebuild(number)
    assert timelines().snapshot(number) == before
    PulledPlacement.objects.all().delete()
    timelines().rebuild(number)
    assert held("timeline:0") == 2


def test_where_no_feed_shows_groups_nobody_walks_through_the_followers(settings, heavy):
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 0
    posted(1)
    # A follower may show groups.
    assert jobs.resume(idle_seconds=0) == 1
    settings.STREAM_SERVER_FEED_GROUPS = {"user": {"kind": "flat"}, "timeline": {"kind": "flat"}}
    new = posted(3)
    assert not FanoutJob.objects.exists()
    assert ids("timeline:3")[0] == new
    late = posted(2)
    assert jobs.resume(idle_seconds=0) == 1
    assert ids("timeline:3")[:2] == [new, late]


def test_a_page_is_one_statement(heavy):
    for number in range(1, 40):
        posted(number)
    feed = Feed.objects.get(slug="timeline", user_id="0")
    with CaptureQueriesContext(connection) as captured:
        page = timelines().page(feed.application_id, feed.feed_id, Window(25))
    assert len(captured) == 1
    assert len(page) == 25


def steps_of_a_page() -> int:
    """How much SQLite works for a page, in hundreds of the steps of its machine."""
    feed = Feed.objects.get(slug="timeline", user_id="0")
    steps = 0

    def counted() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.connection.set_progress_handler(counted, 100)
    try:
        assert len(timelines().page(feed.application_id, feed.feed_id, Window(5))) == 5
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def hide(numbers: Iterable[int]) -> None:
    feed = Feed.objects.get(slug="timeline", user_id="0")
    keys = Activity.objects.filter(foreign_id__in=[f"p:{number}" for number in numbers]).values_list("key")
    Exclusion.objects.bulk_create(Exclusion(feed=feed, key=key) for (key,) in keys)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite counts its steps")
def test_what_a_reader_has_hidden_costs_a_page_what_is_among_it(heavy):
    for number in range(1, 130):
        posted(number)
    costs = [steps_of_a_page()]
    hide(range(60))
    assert steps_of_a_page() <= costs[0] * 1.1, "what is older than the page costs it nothing"
    for newest in (range(110, 130), range(90, 110), range(70, 90)):
        hide(newest)
        costs.append(steps_of_a_page())
    # Each is looked at once.
    first, *others = [more - less for less, more in pairwise(costs)]
    assert max(others) <= first * 1.2 + 2


def test_what_is_noted_of_what_is_gone_is_pruned(heavy):
    posted(1)
    Placement.objects.all().delete()
    call_command("stream_server_maintain", stdout=StringIO())
    assert not PulledPlacement.objects.exists()


def test_which_feeds_have_many_followers_is_known_until_the_feed_is_gone(heavy):
    PulledFeed.objects.create(feed=number_of(HEAVY) + 1000, is_open=True)
    call_command("stream_server_maintain", stdout=StringIO())
    assert [head.feed for head in PulledFeed.objects.all()] == [number_of(HEAVY)]


def test_what_readers_would_not_look_for_any_more_is_an_error(settings, heavy):
    posted(1)
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = None

    def told(**asked):
        found = run_checks(**asked)
        return [one.id for one in found if str(one.id).startswith("django_stream_server.E")]

    assert told(databases=["default"]) == ["django_stream_server.E008"]
    assert told() == []
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = 10**9
    assert told(databases=["default"]) == []


def test_the_way_back_that_the_check_tells(settings, heavy):
    new = posted(1)
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = None
    call_command("stream_repair", stdout=StringIO())
    for most in (10**9, None):  # those who serve have not heard of it yet, and then they have
        settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = most
        assert {name: ids(name) for name in FOLLOWERS} == {name: [new, heavy] for name in FOLLOWERS}
    [error] = [one for one in run_checks(databases=["default"]) if one.id == "django_stream_server.E008"]
    assert "stream_repair" in error.hint
    assert PulledPlacement._meta.db_table in error.hint
    PulledPlacement.objects.all().delete()
    assert "django_stream_server.E008" not in {one.id for one in run_checks(databases=["default"])}
    assert ids(FOLLOWERS[0]) == [new, heavy]


def test_on_a_cluster_it_has_no_effect_and_a_check_says_so(settings):
    pytest.importorskip("redis")
    settings.STREAM_SERVER_TIMELINES = "redis://127.0.0.1:1"
    found = run_checks(tags=["django_stream_server"])
    assert [message.id for message in found] == ["django_stream_server.W004"]


@pytest.mark.parametrize(("offset", "status"), [(100_000, 200), (100_001, 400), (2**63 - 1, 400)])
def test_an_offset_is_a_number_of_rows_together_with_the_limit(offset, status):
    assert call("GET", f"feed/{FOLLOWERS[0].replace(':', '/')}/", offset=offset, limit=100).status == status
