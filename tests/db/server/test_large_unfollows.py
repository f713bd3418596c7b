"""What a follow brought leaves in steps, if it is very much: in the end as if all had left at once."""

from __future__ import annotations

import random
from typing import Any

import pytest

from django_stream.server import maintenance
from django_stream.server.models import Feed, TimelineEntry, UnfollowJob
from django_stream.server.timelines import timelines, unfollows
from tests.contract.calling import Api, follow, ids, ok, post

pytestmark = pytest.mark.django_db
TARGETS, SOURCES = ("user:1", "user:2", "user:3"), ("timeline:1", "timeline:2", "notification:1")


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfollows, "LOOKED_UP", 4)
    monkeypatch.setattr(unfollows, "AT_ONCE", 3)


def unfollow(source: str, target: str) -> None:
    ok("DELETE", f"feed/{source.replace(':', '/')}/follows/{target}/")


def finish() -> None:
    while unfollows.resume(idle_seconds=-1):
        pass


@pytest.fixture
def ten() -> list[str]:
    """On a timeline, newest first: those of a followed feed beside as many of another."""
    sent = []
    for target in TARGETS[:2]:
        follow("timeline:1", target)
    for number in range(10):
        sent.append(post("user:1", foreign_id=f"1.{number}")["id"])
        post("user:2", foreign_id=f"2.{number}")
    return sent[::-1]


def left(sent: list[str]) -> list[str]:
    return [one for one in ids("timeline:1", limit=100) if one in sent]


def test_the_newest_leave_in_the_request_and_the_rest_follows(ten: list[str]) -> None:
    unfollow("timeline:1", "user:1")
    [job] = UnfollowJob.objects.all()
    # Of three entries that are looked through, those of the other feed stay.
    assert left(ten) == ten[1:] or left(ten) == ten[2:]
    assert unfollows.run_step(job.pk)
    finish()
    assert left(ten) == []
    assert len(ids("timeline:1", limit=100)) == 10
    assert not UnfollowJob.objects.exists()
    assert not unfollows.run_step(job.pk)


def test_few_leave_at_once() -> None:
    follow("timeline:1", "user:1")
    for number in range(4):
        post("user:1", foreign_id=str(number))
    unfollow("timeline:1", "user:1")
    assert ids("timeline:1") == []
    assert not UnfollowJob.objects.exists()


def test_what_is_followed_again_meanwhile_stays(ten: list[str]) -> None:
    unfollow("timeline:1", "user:1")
    follow("timeline:1", "user:1", activity_copy_limit=5)
    late = post("user:1", foreign_id="late", time="2020-01-01T00:00:00")["id"]
    finish()
    assert left([*ten, late]) == [*ten[:5], late]


def test_many_followers_are_left_by_one_job() -> None:
    pairs = [{"source": source, "target": "user:1"} for source in SOURCES]
    ok("POST", "follow_many/", pairs)
    sent = [post("user:1", foreign_id=str(number))["id"] for number in range(7)]
    ok("POST", "unfollow_many/", pairs)
    assert UnfollowJob.objects.count() == 1
    assert ids("timeline:2") == sent[-2::-1]  # the newest is gone already
    finish()
    assert [ids(source) for source in SOURCES[:2]] == [[], []]
    assert not TimelineEntry.objects.exclude(via=0).exists()


def test_pairs_of_many_sides_share_what_a_request_looks_for() -> None:
    pairs = [{"source": f"timeline:{number}", "target": f"user:{number}"} for number in range(4)]
    ok("POST", "follow_many/", pairs)
    follow("timeline:0", "user:1")
    sent = [[post(f"user:{number}")["id"] for _ in range(3)] for number in range(4)]
    ok("POST", "unfollow_many/", pairs)
    taken = 4 * 3 + 3 - TimelineEntry.objects.exclude(via=0).count()
    assert 0 < taken <= unfollows.LOOKED_UP
    assert UnfollowJob.objects.count() == 1
    finish()
    # What is followed by another pair of the same request stays.
    assert [ids(pair["source"]) for pair in pairs] == [sent[1][::-1], [], [], []]


def test_a_step_looks_through_no_more_where_many_followers_have_less(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [{"source": f"timeline:{number}", "target": "user:1"} for number in range(4)]
    ok("POST", "follow_many/", pairs)
    for _ in range(7):
        post("user:1")
    monkeypatch.setattr(unfollows, "_OF_A_FEED", 1)
    monkeypatch.setattr(unfollows, "AT_ONCE", 10)
    ok("POST", "unfollow_many/", pairs)
    [job] = UnfollowJob.objects.all()
    sizes = [24]
    while unfollows.run_step(job.pk):
        sizes.append(TimelineEntry.objects.exclude(via=0).count())
    assert sizes == [24, 14, 4]


def test_what_was_not_followed_is_not_looked_through() -> None:
    for _ in range(5):
        post("user:1")
        post("timeline:1")
    unfollow("timeline:1", "user:1")
    assert not UnfollowJob.objects.exists()


@pytest.mark.parametrize("seed", range(5))
def test_in_the_end_feeds_are_what_a_rebuild_makes_of_them(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(60):
        source, target = chance.choice(SOURCES), chance.choice(TARGETS)
        act = chance.random()
        if act < 0.45:
            day = chance.randrange(1, 28)
            post(target, foreign_id=str(number), time=f"2026-01-{day:02}T12:00:00")
        elif act < 0.65:
            follow(source, target, activity_copy_limit=chance.choice([0, 2, 100]))
        elif act < 0.7:
            pairs = [{"source": one, "target": target} for one in SOURCES]
            ok("POST", "unfollow_many/", pairs)
        elif act < 0.75:
            pairs = [{"source": one, "target": other} for one, other in zip(SOURCES, TARGETS, strict=True)]
            ok("POST", "unfollow_many/", pairs)
        elif act < 0.9:
            unfollow(source, target)
        elif jobs := [*UnfollowJob.objects.all()]:
            unfollows.run_step(chance.choice(jobs).pk)
    finish()
    for feed in Feed.objects.filter(slug__in=["timeline", "notification"]):
        timelines().settle(feed.pk)
        before = timelines().snapshot(feed.pk)
        maintenance.rebuild(feed)
        assert timelines().snapshot(feed.pk) == before


def test_who_is_deleted_meanwhile_is_passed_over(ten: list[str]) -> None:
    unfollow("timeline:1", "user:1")
    Feed.objects.filter(slug="user").delete()
    finish()
    assert not UnfollowJob.objects.exists()
    assert left(ten) == []


def test_readers_of_a_page_see_other_activities_meanwhile(ten: list[str]) -> None:
    unfollow("timeline:1", "user:1")
    found: list[dict[str, Any]] = Api().ok("GET", "feed/timeline/1/", limit=100)["results"]
    assert len(found) == 10 + len(left(ten))
