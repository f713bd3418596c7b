"""Aggregated and notification feeds: groups, their counts, and their marks."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import parse_time
from django_stream.server.activity_input import key_or_none
from django_stream.server.conf import server_settings
from django_stream.server.feed_groups import group_of
from django_stream.server.maintenance import heal_orphans
from django_stream.server.models import (
    ActivityGroup,
    Application,
    Feed,
    GroupChange,
    Placement,
    TimelineEntry,
)
from django_stream.server.reads import activity_groups
from django_stream.server.timelines import Window, group_changes, timelines
from django_stream.server.timelines import activity_groups as folding
from tests.contract.calling import call, follow, ok, post

pytestmark = pytest.mark.django_db


def groups(feed: str, **query):
    return ok("GET", f"feed/{feed.replace(':', '/')}/", **query)


def test_activities_of_one_name_are_one_group_with_counts_and_the_newest_first():
    follow("aggregated:1", "user:1")
    first = post("user:1", actor="a", time="2026-01-01T10:00:00")["id"]
    second = post("user:1", actor="b", time="2026-01-01T11:00:00")["id"]
    post("user:1", actor="b", verb="like", time="2026-01-02T11:00:00")
    found = groups("aggregated:1")
    assert [group["group"] for group in found["results"]] == ["like_2026-01-02", "tweet_2026-01-01"]
    group = found["results"][1]
    assert (group["id"], group["verb"], group["activity_count"], group["actor_count"]) == (
        second,
        "tweet",
        2,
        2,
    )
    assert [(item["id"], item["origin"]) for item in group["activities"]] == [
        (second, "user:1"),
        (first, "user:1"),
    ]
    ok("DELETE", f"feed/user/1/{second}/")
    group = groups("aggregated:1")["results"][1]
    assert (group["id"], group["activity_count"], group["actor_count"]) == (first, 1, 1)
    ok("DELETE", f"feed/user/1/{first}/")
    assert len(groups("aggregated:1")["results"]) == 1


def test_a_follow_copies_into_groups_and_an_unfollow_empties_them():
    post("user:1")
    follow("notification:1", "user:1")
    assert groups("notification:1")["unseen"] == 1
    ok("DELETE", "feed/notification/1/follows/user:1/")
    found = groups("notification:1")
    assert (found["results"], found["unseen"], found["unread"]) == ([], 0, 0)


def test_marks_are_set_after_the_answer_and_reset_by_new_activities():
    post("notification:1", time="2026-01-01T10:00:00")
    before = groups("notification:1", mark_seen="true")
    assert (before["unseen"], before["unread"], before["results"][0]["is_seen"]) == (1, 1, False)
    after = groups("notification:1", mark_read=before["results"][0]["id"])
    assert (after["unseen"], after["unread"], after["results"][0]["is_seen"]) == (0, 1, True)
    assert groups("notification:1", limit="0")["unread"] == 0
    post("notification:1", time="2026-01-01T11:00:00")
    again = groups("notification:1")
    assert (again["unseen"], again["unread"]) == (1, 1)


def test_pages_go_by_group_ids():
    for day in (1, 2, 3):
        post("notification:1", time=f"2026-01-0{day}T10:00:00")
    page = groups("notification:1", limit="2")
    assert [group["group"] for group in page["results"]] == ["tweet_2026-01-03", "tweet_2026-01-02"]
    rest = groups("notification:1", id_lt=page["results"][-1]["id"])
    assert [group["group"] for group in rest["results"]] == ["tweet_2026-01-01"]


def test_of_a_large_group_the_newest_fifteen_are_shown_and_all_are_counted():
    posted = [
        post("notification:1", actor=str(n % 3), time=f"2026-01-01T10:00:{n:02d}")["id"] for n in range(17)
    ]
    post("notification:1", time="2026-01-02T10:00:00")
    small, large = groups("notification:1")["results"]
    assert (len(small["activities"]), small["activity_count"]) == (1, 1)
    assert [item["id"] for item in large["activities"]] == posted[:1:-1]
    assert (large["activity_count"], large["actor_count"]) == (17, 3)


@pytest.mark.parametrize("bounded", [False, True], ids=["first page", "further page"])
@pytest.mark.parametrize("days", [1, 9])
def test_a_page_costs_as_many_queries_whatever_is_on_it(days, bounded, django_assert_num_queries):
    follow("notification:1", "user:1")
    for day in range(1, days + 1):
        last = post("user:1", time=f"2026-01-0{day}T10:00:00")["id"]
        post("user:1", time=f"2026-01-0{day}T09:00:00")
    application, name = server_settings.own_app_id, FeedID("notification", "1")
    window = Window(25, up_to=key_or_none(last)) if bounded else Window(25)
    with django_assert_num_queries(10):
        # One looks for changes and one reads; in between they are taken, and the groups opened and counted.
        activity_groups.page(application, name, group_of(application, "notification"), window)
    with django_assert_num_queries(2):
        page = activity_groups.page(application, name, group_of(application, "notification"), window)
    assert [len(items) for _, items in page.groups] == [2] * days
    assert (page.unseen, page.unread, page.more) == (days, days, False)


@pytest.mark.parametrize("followers", [1, 9])
def test_bringing_something_to_grouped_feeds_costs_the_same_whatever_is_in_their_groups(followers):
    for number in range(followers):
        follow(f"notification:{number}", "user:1")
        follow(f"aggregated:{number}", "user:1")
    counts = []
    for actor in "abcd":
        with CaptureQueriesContext(connection) as queries:
            post("user:1", actor=actor)
        counts.append(len(queries))
        assert not any("activitygroup" in query["sql"] for query in queries)
        assert groups("notification:0")["results"][0]["activity_count"] == len(counts)
    assert counts == counts[:1] * 4


@pytest.mark.parametrize(("limit", "most"), [("_ROUNDS", 1), ("_SECONDS", 0.0)])
def test_more_than_a_reader_takes_comes_with_the_next_ones(limit, most, monkeypatch):
    monkeypatch.setattr(group_changes, "AT_ONCE", 2)
    monkeypatch.setattr(folding, limit, most)
    follow("notification:1", "user:1")
    for day in range(1, 6):
        post("user:1", time=f"2026-01-0{day}T10:00:00")
    seen = [[group["id"][:36] for group in groups("notification:1")["results"]] for _ in range(3)]
    assert [len(ids) for ids in seen] == [2, 4, 5]
    # The newest come first, and what was shown stays.
    assert seen[2][:2] == seen[0]
    assert seen[2][:4] == seen[1]


def test_paging_and_marks_begin_when_all_that_waits_is_in_its_group(monkeypatch):
    monkeypatch.setattr(group_changes, "AT_ONCE", 2)
    monkeypatch.setattr(folding, "_SECONDS", 60.0)
    follow("notification:1", "user:1")
    for day in range(1, 10):
        post("user:1", time=f"2026-01-0{day}T10:00:00")
    seen, after = [], {}
    while after is not None:
        page = groups("notification:1", limit=2, **after)
        seen += [group["id"] for group in page["results"]]
        after = dict(parse_qsl(urlsplit(page["next"]).query)) if page["next"] else None
        after = after and {name: value for name, value in after.items() if name not in ("api_key", "limit")}
    assert len(seen) == len(set(seen)) == 9
    for day in range(10, 20):
        post("user:1", time=f"2026-01-{day}T10:00:00")
    groups("notification:1", limit=1, mark_seen="true")
    assert groups("notification:1")["unseen"] == 0


def test_what_no_reader_needs_to_look_at_is_forgotten():
    follow("notification:1", "user:1")
    made = [post("user:1", time=f"2026-01-0{day}T10:00:00") for day in (1, 2)]
    for _ in range(3):
        ok("DELETE", f"feed/user/1/{made[0]['id']}/")
        made[0] = post("user:1", time="2026-01-01T10:00:00")
    ok("DELETE", f"feed/user/1/{made[0]['id']}/")
    timelines().prune()
    feed = Feed.objects.get(slug="notification")
    assert GroupChange.objects.filter(feed=feed.pk).count() == 1
    assert [group["activity_count"] for group in groups("notification:1")["results"]] == [1]


def test_groups_are_read_as_they_are_where_the_database_refuses_to_change_them(monkeypatch, caplog):
    def refuse(*_):
        raise OperationalError("database is locked")

    post("notification:1")
    assert len(groups("notification:1")["results"]) == 1
    post("notification:1", time="2026-01-02T10:00:00")
    with monkeypatch.context() as locked:
        locked.setattr(group_changes, "take", refuse)
        assert len(groups("notification:1")["results"]) == 1
        assert "database is locked" in caplog.text
    assert len(groups("notification:1")["results"]) == 2


class _Replicas:
    """Whatever is read of the server comes from a copy of the database that has not heard of everything."""

    def db_for_read(self, model, **hints):
        return "other" if model._meta.app_label == "django_stream_server" else None

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, first, second, **hints):
        return True


# Inside of a transaction no replica is asked.
@pytest.mark.django_db(databases=["default", "other"], transaction=True)
def test_what_was_just_put_into_groups_is_read_where_it_is(settings):
    post("notification:1")
    for one in (
        Application.objects.first(),
        Feed.objects.get(slug="notification"),
        GroupChange.objects.get(),
    ):
        one.save(using="other", force_insert=True)
    settings.DATABASE_ROUTERS = [_Replicas()]
    found = groups("notification:1")
    assert ([group["activity_count"] for group in found["results"]], found["unseen"]) == ([1], 1)
    assert not ActivityGroup.objects.using("other").exists()


@pytest.mark.django_db(databases=["default", "other"], transaction=True)
def test_where_nothing_waits_groups_come_from_the_replica(settings):
    post("notification:1")
    assert groups("notification:1")["unseen"] == 1
    settings.DATABASE_ROUTERS = [_Replicas()]
    assert groups("notification:1")["results"] == []


def _withdrawn_by_the_former_version(ids):
    """It took activities off a feed and out of groups that it saw, and noted nothing."""
    keys = [key_or_none(one) for one in ids]
    feed = Feed.objects.get(slug="notification")
    Placement.objects.filter(feed=feed, key__in=keys).delete()
    TimelineEntry.objects.filter(feed=feed.pk, key__in=keys).delete()


def test_what_a_feed_has_no_more_goes_from_its_groups_although_nobody_noted_it():
    gone = [post("notification:1", time=f"2026-01-01T10:00:0{n}")["id"] for n in range(3)]
    left = post("notification:1", time="2026-01-01T09:00:00")["id"]
    other = post("notification:1", time="2026-01-02T10:00:00")["id"]
    assert len(groups("notification:1")["results"]) == 2
    _withdrawn_by_the_former_version([*gone, other])
    [group] = groups("notification:1")["results"]
    assert [one["id"] for one in group["activities"]] == [left]
    assert (group["activity_count"], groups("notification:1")["unseen"]) == (1, 1)


def test_what_no_page_shows_of_it_is_found_by_maintenance():
    posted = [post("notification:1", time=f"2026-01-01T10:00:{n:02}")["id"] for n in range(20)]
    assert groups("notification:1")["results"][0]["activity_count"] == 20
    _withdrawn_by_the_former_version(posted[:2])
    assert groups("notification:1")["results"][0]["activity_count"] == 20
    assert heal_orphans() == 1
    assert groups("notification:1")["results"][0]["activity_count"] == 18
    ok("DELETE", f"feed/notification/1/{posted[5]}/")
    assert heal_orphans() == 0, "what waits is no fault"


def test_the_counts_come_without_groups_and_for_a_feed_that_nobody_wrote_to():
    post("notification:1")
    only_counts = groups("notification:1", limit="0")
    assert (only_counts["results"], only_counts["unseen"], only_counts["unread"]) == ([], 1, 1)
    behind = groups("notification:1", offset="5")
    assert (behind["results"], behind["unseen"]) == ([], 1)
    nobody = groups("notification:2")
    assert (nobody["results"], nobody["unseen"], nobody["unread"]) == ([], 0, 0)


def test_unseen_and_unread_are_counted_apart():
    for day in (1, 2, 3):
        post("notification:1", time=f"2026-01-0{day}T10:00:00")
    newest, *_ = groups("notification:1", mark_seen="true")["results"]
    groups("notification:1", mark_read=newest["id"])
    found = groups("notification:1")
    assert (found["unseen"], found["unread"]) == (0, 2)
    assert [group["is_read"] for group in found["results"]] == [True, False, False]


def test_an_activity_with_several_ways_is_there_once_and_at_home_if_one_is_its_own():
    for target in ("user:1", "user:2"):
        follow("aggregated:1", target)
    post("user:1", to=["user:2"], foreign_id="a", time="2026-01-01T10:00:00")
    [group] = groups("aggregated:1")["results"]
    assert [item["origin"] for item in group["activities"]] == ["user:1"]
    post("aggregated:1", foreign_id="a", time="2026-01-01T10:00:00")
    [group] = groups("aggregated:1")["results"]
    assert ([item["origin"] for item in group["activities"]], group["activity_count"]) == ([None], 1)


@pytest.mark.parametrize("microsecond", [0, 120_000, 123_456])
@pytest.mark.parametrize("use_tz", [True, False])
def test_times_of_groups_are_told_in_utc_whatever_the_site_stores(settings, use_tz, microsecond):
    settings.TIME_ZONE, settings.USE_TZ = "Europe/Berlin", use_tz
    before = datetime.now(UTC)
    post("aggregated:1")
    [group] = groups("aggregated:1")["results"]
    assert before <= parse_time(group["created_at"]) <= datetime.now(UTC) + timedelta(seconds=1)
    moment = before.replace(microsecond=microsecond)
    stored = moment if use_tz else timezone.make_naive(moment)
    ActivityGroup.objects.update(updated_at=stored)
    [group] = groups("aggregated:1")["results"]
    assert group["updated_at"] == moment.replace(tzinfo=None).isoformat(timespec="microseconds")


@pytest.mark.parametrize(("offset", "status"), [(100_000, 200), (100_001, 400), (2**63 - 1, 400)])
def test_an_offset_within_a_session_is_a_number_of_rows_together_with_the_limit(offset, status):
    for verb in "ab":
        post("notification:1", verb=verb)
    session = parse_qsl(urlsplit(groups("notification:1", limit=1)["next"]).query)
    place = {"session": dict(session)["session"], "offset": offset, "limit": 100}
    assert call("GET", "feed/notification/1/", **place).status == status


def test_groups_that_wait_are_counted_up_to_a_limit():
    post("notification:1")
    assert [groups("notification:1")[name] for name in ("unseen", "unread")] == [1, 1]
    feed, now = Feed.objects.get(slug="notification").pk, timezone.now()
    row = {"feed": feed, "created_at": now, "updated_at": now}
    ActivityGroup.objects.bulk_create(
        ActivityGroup(**row, name=f"{number}", is_seen=number % 2 == 0, is_read=False)
        for number in range(limits.WAITING_COUNT_CAP + 50)
    )
    half = limits.WAITING_COUNT_CAP // 2 + 25 + 1
    found = groups("notification:1")
    assert [found[name] for name in ("unseen", "unread")] == [half, limits.WAITING_COUNT_CAP]
