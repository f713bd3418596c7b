"""Fan-out beyond the inline size: in chunks, resumable, and always in step with the record."""

from __future__ import annotations

import pytest

from django_stream.server.fanout import jobs
from django_stream.server.models import FanoutJob, Feed, Follow
from tests.contract.calling import ids, ok, post
from tests.db.server.killed_fanouts import run_for
from tests.extras import needs

pytestmark = pytest.mark.django_db

TIME = "2026-01-01T10:00:00.000000"
FOLLOWERS = [f"timeline:{number}" for number in range(7)]


@pytest.fixture(autouse=True)
def small_chunks(settings):
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 3
    settings.STREAM_SERVER_FANOUT_CHUNK = 2


@pytest.fixture
def followed():
    pairs = [{"source": name, "target": "user:1"} for name in [*FOLLOWERS, "aggregated:1", "aggregated:2"]]
    ok("POST", "follow_many/", pairs)


def reached() -> list[str]:
    return [name for name in FOLLOWERS if ids(name)]


def test_all_chunks_are_served_when_the_transaction_commits(followed, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        activity = post("user:1")["id"]
        assert ids("user:1") == [activity]
        assert reached() == []
    assert reached() == FOLLOWERS
    assert [group["id"] for group in ok("GET", "feed/aggregated/2/")["results"]] == [activity]
    assert not FanoutJob.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        ok("DELETE", f"feed/user/1/{activity}/")
        # Not waiting for its rows to go, nobody reads it any more.
        assert reached() == []
    assert reached() == []
    assert ok("GET", "feed/aggregated/2/")["results"] == []


def test_a_fanout_that_a_killed_worker_left_is_resumed_where_it_stopped(followed):
    post("user:1")
    pending = FanoutJob.objects.get()
    run_for(1, pending.pk)
    assert reached() == FOLLOWERS[:2]
    assert jobs.resume(idle_seconds=0) == 1
    assert reached() == FOLLOWERS


def test_chunks_act_on_the_record_as_it_is_when_they_come(followed):
    activity = post("user:1")["id"]
    ok("DELETE", "feed/timeline/3/follows/user:1/")
    ok("POST", "feed/timeline/9/follows/", {"target": "user:1", "activity_copy_limit": 0})
    jobs.resume(idle_seconds=0)
    assert reached() == [name for name in FOLLOWERS if name != "timeline:3"]
    assert ids("timeline:9") == []
    ok("DELETE", f"feed/user/1/{activity}/")
    ok("POST", "unfollow_many/", [{"source": name, "target": "user:1"} for name in FOLLOWERS])
    jobs.resume(idle_seconds=0)
    assert reached() == []


def test_small_fanouts_are_done_at_once(settings, followed):
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = Follow.objects.count()
    post("user:1")
    assert reached() == FOLLOWERS
    assert not FanoutJob.objects.exists()
    assert Feed.objects.get(slug="user").version == 1


def test_a_chunk_that_meets_rows_already_copied_keeps_them_and_adds_the_others(followed):
    activity = post("user:1")["id"]
    ok("DELETE", "feed/timeline/1/follows/user:1/", keep_history="true")
    ok("POST", "feed/timeline/1/follows/", {"target": "user:1"})
    assert ids("timeline:1") == [activity]
    jobs.resume(idle_seconds=0)
    assert reached() == FOLLOWERS


def write(feed: str, verb: str, **fields) -> str:
    return post(feed, foreign_id="a", time=TIME, verb=verb, **fields)["id"]


def groups(feed: str) -> list[tuple[str, int]]:
    page = ok("GET", f"feed/{feed.replace(':', '/')}/")["results"]
    return [(group["group"], group["activity_count"]) for group in page]


def serve(newest_first: bool) -> None:
    for pending in FanoutJob.objects.order_by("-pk" if newest_first else "pk").values_list("pk", flat=True):
        jobs.run(pending)


@pytest.mark.parametrize("newest_first", [False, True])
def test_an_activity_made_anew_with_another_text_leaves_its_former_group(followed, newest_first):
    activity = write("user:1", "like")
    serve(newest_first)
    assert groups("aggregated:2") == [("like_2026-01-01", 1)]
    ok("DELETE", f"feed/user/1/{activity}/")
    write("user:1", "share")
    serve(newest_first)
    assert groups("aggregated:2") == [("share_2026-01-01", 1)]


def test_a_way_that_goes_late_takes_the_activity_out_of_the_group_of_a_later_text(followed):
    """The activity has had three names and two ways by the time that its last way is cut."""
    pairs = [{"source": name, "target": "user:2"} for name in ["aggregated:2", *FOLLOWERS]]
    ok("POST", "follow_many/", pairs)
    activity = write("user:1", "like", to=["user:2"])
    serve(False)
    change = {"foreign_id": "a", "time": TIME, "removed_targets": ["user:2"]}
    ok("POST", "feed_targets/user/1/activity_to_targets/", change)
    [late] = FanoutJob.objects.filter(feed=Feed.objects.get(slug="user", user_id="2").pk)
    ok("POST", "data_privacy/delete_activities/", {"activities": [{"id": activity}]})
    for pending in FanoutJob.objects.exclude(pk=late.pk):
        jobs.run(pending.pk)
    assert groups("aggregated:2") == [("_2026-01-01", 1)]
    ok("DELETE", f"feed/user/1/{activity}/")
    for pending in FanoutJob.objects.exclude(pk=late.pk):
        jobs.run(pending.pk)
    jobs.run(late.pk)
    assert groups("aggregated:2") == []


@needs("aggregation")
def test_erasing_empties_the_text_of_the_group_and_makes_nothing_new(settings, followed):
    settings.STREAM_SERVER_FEED_GROUPS = settings.STREAM_SERVER_FEED_GROUPS | {
        "notification": {"kind": "notification", "aggregation_format": "{{ actor }} {{ verb }}"}
    }
    ok("POST", "follow_many/", [{"source": "notification:1", "target": "user:1"}])
    activity = write("user:1", "likes", actor="SU:ann")
    jobs.resume(idle_seconds=0)
    page = ok("GET", "feed/notification/1/", mark_seen="true", mark_read="true")
    assert [group["group"] for group in page["results"]] == ["SU:ann likes"]
    ok("POST", "data_privacy/delete_activities/", {"activities": [{"id": activity}]})
    jobs.resume(idle_seconds=0)
    page = ok("GET", "feed/notification/1/")
    assert [group["group"] for group in page["results"]] == [" "]
    assert (page["unseen"], page["unread"]) == (0, 0)


def test_what_is_hidden_before_its_chunk_comes_stays_hidden(followed):
    activity = post("user:1")["id"]
    ok("DELETE", f"feed/timeline/3/{activity}/")
    ok("DELETE", f"feed/aggregated/1/{activity}/")
    jobs.resume(idle_seconds=0)
    assert reached() == [name for name in FOLLOWERS if name != "timeline:3"]
    assert (groups("aggregated:1"), len(groups("aggregated:2"))) == ([], 1)


def test_what_lingers_after_its_removal_cannot_be_hidden(followed):
    activity = write("user:1", "like")
    jobs.resume(idle_seconds=0)
    ok("DELETE", f"feed/user/1/{activity}/")
    ok("DELETE", f"feed/timeline/3/{activity}/")
    write("user:1", "like")
    jobs.resume(idle_seconds=0)
    assert reached() == FOLLOWERS


def test_an_update_recounts_the_actors_of_grouped_followers_in_chunks(followed):
    write("user:1", "like", actor="x")
    post("user:1", verb="like", actor="y", time=TIME)
    jobs.resume(idle_seconds=0)
    body = {"actor": "y", "verb": "like", "object": "1", "foreign_id": "a", "time": TIME}
    ok("POST", "activities/", {"activities": [body]})
    [pending] = FanoutJob.objects.all()
    jobs.run(pending.pk)
    [group] = ok("GET", "feed/aggregated/2/")["results"]
    assert (group["activity_count"], group["actor_count"]) == (2, 1)


def test_an_update_spreads_nothing_where_nothing_is_grouped(settings, followed):
    settings.STREAM_SERVER_FEED_GROUPS = {"user": {"kind": "flat"}}
    write("user:1", "like", actor="x")
    jobs.resume(idle_seconds=0)
    write("user:1", "like", actor="y")
    assert not FanoutJob.objects.exists()
