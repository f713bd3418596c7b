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
        elif act < 0.75:
            pairs = [{"source": one, "target": target} for one in SOURCES]
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
