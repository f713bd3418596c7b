"""Very many activities of one foreign_id leave a feed in steps, and what comes after that stays."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.server.actions import removal_jobs
from django_stream.server.models import Activity, AuditLog, Placement, RemovalJob, TimelineEntry
from tests.contract.calling import Api, ids, user_token

pytestmark = pytest.mark.django_db
api = Api()
FEED = "feed/user/eve/"
FOLLOWER = "timeline:ann"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal_jobs, "_AT_ONCE", 3)


def fields(day: int, foreign_id: str = "same", **more: Any) -> dict[str, Any]:
    moment = f"2026-01-{day:02}T12:00:00"
    return {"actor": "SU:eve", "verb": "v", "object": "o", "foreign_id": foreign_id, "time": moment} | more


def post(day: int, foreign_id: str = "same", **more: Any) -> str:
    return str(api.ok("POST", FEED, fields(day, foreign_id, **more))["id"])


def remove(feed: str = "user/eve", **options: Any) -> Any:
    return api.ok("DELETE", f"feed/{feed}/same/", foreign_id="1", **options)


def finish() -> None:
    while removal_jobs.resume(idle_seconds=-1):
        pass


@pytest.fixture
def ten() -> list[str]:
    """Ten of one foreign_id, and another one; Ann follows them and Bob is told of some."""
    api.ok("POST", "feed/timeline/ann/follows/", {"target": "user:eve"})
    post(20, "other")
    return [post(day, to=["notification:bob"] if day % 2 else []) for day in range(1, 11)]


def test_the_request_takes_the_newest_and_the_rest_follows(ten: list[str]) -> None:
    assert remove() == {"removed": "same"}
    assert len(ids("user:eve")) == 8
    assert not set(ten[-3:]) & set(ids("user:eve"))
    finish()
    for name in ("user:eve", FOLLOWER):
        assert len(ids(name)) == 1
    assert api.ok("GET", "feed/notification/bob/")["results"] == []
    assert Activity.objects.count() == Placement.objects.count() == 1
    assert not RemovalJob.objects.exists()
    assert remove() == {}


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 6])
def test_any_number_goes(number: int) -> None:
    for day in range(1, number + 1):
        post(day)
    assert remove() == ({"removed": "same"} if number else {})
    finish()
    assert ids("user:eve") == []
    assert not RemovalJob.objects.exists()


def test_what_came_by_following_is_hidden_there_and_stays_elsewhere(ten: list[str]) -> None:
    remove("timeline/ann")
    finish()
    assert (len(ids(FOLLOWER)), len(ids("user:eve"))) == (1, 11)


def test_what_is_posted_meanwhile_stays(ten: list[str]) -> None:
    remove()
    api.ok("POST", "feed/add_to_many/", {"activity": fields(13), "feeds": ["user:eve"]})
    new = [post(11), post(1), post(2, to=["notification:carl"])]
    api.ok("POST", "feed/add_to_many/", {"activity": fields(3), "feeds": ["user:eve"]})
    finish()
    left = set(ids("user:eve"))
    assert set(new) | {ten[0], ten[1], ten[2]} <= left
    assert len(left) == 6
    assert len(api.ok("GET", "feed/notification/carl/")["results"]) == 1


def retarget(day: int, **change: Any) -> None:
    body = {"foreign_id": "same", "time": fields(day)["time"], **change}
    api.ok("POST", "feed_targets/user/eve/activity_to_targets/", body)


@pytest.mark.parametrize("feed", ["user:zoe", "user:abe"])
@pytest.mark.parametrize(
    "change", [{"new_targets": ["{}"]}, {"added_targets": ["{}"]}, {"new_targets": ["{}", "user:new"]}]
)
def test_what_is_targeted_meanwhile_stays(feed: str, change: dict[str, list[str]]) -> None:
    """The placement was there already, and the target that removes it is told again."""
    old = [post(day, to=[feed]) for day in range(1, 11)]
    remove(feed.replace(":", "/"))
    retarget(2, **{name: [text.format(feed) for text in texts] for name, texts in change.items()})
    finish()
    assert ids(feed) == [old[1]]


def test_what_is_posted_to_one_feed_is_not_kept_on_another(ten: list[str]) -> None:
    """One request to two feeds, each with a removal under way."""
    for day in range(1, 11):
        api.ok("POST", "feed/user/zoe/", fields(day))
    remove()
    remove("user/zoe")
    new = {"activities": [fields(1), fields(2, to=["user:zoe"])]}
    api.ok("POST", FEED, new)
    kept = dict(RemovalJob.objects.values_list("feed", "kept"))
    assert [len(kept[feed]) for feed in sorted(kept)] == [2, 1]
    finish()
    assert (len(ids("user:eve")), ids("user:zoe")) == (3, [ten[1]])


def test_each_activity_is_kept_once_and_only_while_it_is_in_danger(ten: list[str]) -> None:
    remove()
    for _ in range(3):
        for day in (2, 3, 10):
            api.ok("POST", "feed/add_to_many/", {"activity": fields(day), "feeds": ["user:eve"]})
            post(day, to=["notification:bob"])
        post(4, "another")
    (job,) = RemovalJob.objects.all()
    assert len(job.kept) == 2


@pytest.fixture
def many_follows(ten: list[str]) -> list[str]:
    """Ann follows Zoe, too, and has begun to hide all that she sees."""
    api.ok("POST", "feed/timeline/ann/follows/", {"target": "user:zoe"})
    remove("timeline/ann")
    return ten


def follow(target: str) -> None:
    api.ok("POST", "feed/timeline/ann/follows/", {"target": target})


def test_what_a_new_follow_brings_after_the_request_stays(many_follows: list[str]) -> None:
    api.ok("POST", "feed/user/new/", fields(1, object="of another feed"))
    new = str(api.ok("POST", "feed/user/new/", fields(2, time="2026-01-02T13:00:00"))["id"])
    follow("user:new")
    finish()
    assert new in ids(FOLLOWER)
    # The other one was there at the request, by another way.
    assert len(ids(FOLLOWER)) == 2


def test_what_a_followed_feed_posts_after_the_request_stays(many_follows: list[str]) -> None:
    new = [post(day, time=f"2026-01-{day:02}T13:00:00") for day in (1, 5)]
    api.ok("POST", "feed/user/zoe/", fields(3, time="2026-01-03T13:00:00"))
    finish()
    assert set(new) <= set(ids(FOLLOWER))
    assert len(ids(FOLLOWER)) == 4


def test_who_follows_anew_gets_it_again(many_follows: list[str]) -> None:
    """What was seen at the request is gone with the first follow; the second one came after that."""
    hidden = set(many_follows[-3:])
    api.ok("DELETE", "feed/timeline/ann/follows/user:eve/")
    follow("user:eve")
    finish()
    assert set(ids(FOLLOWER)) == set(ids("user:eve")) - hidden


def test_what_was_posted_to_the_feed_goes_and_what_follows_bring_since_then_stays() -> None:
    """Both are ways to the same feed: the one from before the request ends, and the other one does not."""
    old = [api.ok("POST", "feed/timeline/ann/", fields(day))["id"] for day in range(1, 9)]
    api.ok("POST", "feed/timeline/fan/follows/", {"target": FOLLOWER})
    remove("timeline/ann")
    api.ok("POST", "feed/user/new/", fields(2))
    follow("user:new")
    finish()
    assert ids(FOLLOWER) == [old[1]]
    assert ids("timeline:fan") == []


def test_what_is_hidden_already_does_not_stand_in_the_way() -> None:
    api.ok("POST", "feed/timeline/ann/follows/", {"target": "user:eve"})
    for day in range(2, 9):
        post(day)
    remove("timeline/ann")
    finish()
    old = post(1)
    assert ids(FOLLOWER) == [old]
    assert remove("timeline/ann") == {"removed": "same"}
    assert ids(FOLLOWER) == []
    assert remove("timeline/ann") == {}
    assert not RemovalJob.objects.exists()


def test_what_following_does_not_bring_does_not_stand_in_the_way() -> None:
    """Older than what a follow copies, younger than its end, or posted to this feed and not its followers."""
    for day in range(1, 6):
        post(day)
    api.ok("POST", "feed/timeline/ann/follows/", {"target": "user:eve", "activity_copy_limit": 0})
    shown = post(1, time="2026-01-01T13:00:00")
    for day in range(11, 16):
        api.ok("POST", "feed/add_to_many/", {"activity": fields(day), "feeds": ["user:eve"]})
    api.ok("DELETE", "feed/timeline/ann/follows/user:eve/", keep_history="1")
    for day in range(21, 26):
        post(day)
    assert ids(FOLLOWER) == [shown]
    assert remove("timeline/ann") == {"removed": "same"}
    assert ids(FOLLOWER) == []
    assert remove("timeline/ann") == {}
    assert (len(ids("user:eve")), RemovalJob.objects.count()) == (16, 0)


@pytest.mark.parametrize("feed", ["user/eve", "timeline/ann"])
def test_asked_again_and_again_there_is_one_job(ten: list[str], feed: str) -> None:
    for left in (8, 5, 2):
        assert remove(feed) == {"removed": "same"}
        assert (len(ids(feed.replace("/", ":"))), RemovalJob.objects.count()) == (left, 1)
    finish()
    assert len(ids(feed.replace("/", ":"))) == 1
    assert remove(feed) == {}


def test_the_log_names_who_removed_them_also_those_that_went_later(ten: list[str]) -> None:
    AuditLog.objects.all().delete()
    remove(auth=user_token("eve"))
    finish()
    entries = AuditLog.objects.filter(action="delete")
    assert set(entries.values_list("user_id", flat=True)) == {"eve"}
    assert entries.count() == 10


class Killed(BaseException):
    """No `except Exception` stops it."""


@pytest.mark.parametrize("statement", range(1, 60, 6))
def test_a_worker_that_is_killed_at_any_statement_loses_nothing(ten: list[str], statement: int) -> None:
    remove()
    left = statement

    def die(execute: Any, *rest: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return execute(*rest)

    with connection.execute_wrapper(die), suppress(Killed):
        removal_jobs.resume(idle_seconds=-1)
    finish()
    assert Activity.objects.count() == Placement.objects.count() == 1
    assert TimelineEntry.objects.count() == 2


def test_what_a_request_costs_does_not_grow() -> None:
    def statements(number: int) -> int:
        for day in range(1, number + 1):
            post(day)
        with CaptureQueriesContext(connection) as queries:
            remove()
        finish()
        return len(queries)

    assert statements(8) == statements(25)


def test_a_worker_that_is_late_takes_nothing_that_was_posted_again(
    ten: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read its keys, and waits for the feed while another one ends the job."""
    remove()
    (job,) = RemovalJob.objects.all()
    again = post(7)
    read = removal_jobs.keys_of_foreign_id

    def late(*args: Any, **options: Any) -> Any:
        keys = read(*args, **options)
        monkeypatch.setattr(removal_jobs, "keys_of_foreign_id", read)
        removal_jobs.run(job.pk)
        return keys

    monkeypatch.setattr(removal_jobs, "keys_of_foreign_id", late)
    removal_jobs.run_step(job.pk)

    assert not RemovalJob.objects.exists()
    assert again in ids("user:eve")
    assert len(ids("user:eve")) == 2


@pytest.mark.parametrize("seed", range(15))
def test_in_the_end_it_is_as_if_each_removal_had_been_done_at_once(seed: int) -> None:
    chance = random.Random(seed)
    expected: set[int] = set()
    known: dict[int, str] = {}
    for _ in range(60):
        act = chance.choice(["post", "post", "post", "many", "remove", "step", "step"])
        day = chance.randint(1, 20)
        if act == "remove":
            remove()
            expected.clear()
        elif act == "step":
            if (job := RemovalJob.objects.order_by("?").first()) is not None:
                removal_jobs.run_step(job.pk)
        elif act == "post":
            known[day] = post(day)
            expected.add(day)
        else:
            api.ok("POST", "feed/add_to_many/", {"activity": fields(day), "feeds": ["user:eve"]})
            expected.add(day)
    finish()
    found = {int(one["time"][8:10]) for one in api.page("user:eve", limit=100)}
    assert found == expected
    assert Activity.objects.count() == Placement.objects.count() == len(expected)


@pytest.mark.parametrize("seed", range(15))
def test_what_is_hidden_in_steps_is_what_was_seen_at_the_request(seed: int) -> None:
    chance = random.Random(seed)
    feeds = ["user:eve", "user:zoe", "user:new"]
    posted: dict[str, set[int]] = {name: set() for name in (FOLLOWER, *feeds)}
    followed: set[str] = set()
    hidden: set[int] = set()

    def brought() -> set[int]:
        return set().union(*(posted[name] for name in followed))

    for act in ["post"] * 10 + chance.choices(["post", "follow", "remove", "step"], [6, 1, 2, 4], k=60):
        if act == "post":
            name, day = chance.choice([FOLLOWER, *feeds, *feeds]), chance.randint(1, 20)
            api.ok("POST", f"feed/{name.replace(':', '/')}/", fields(day))
            posted[name].add(day)
            if name == FOLLOWER:
                hidden.discard(day)
        elif act == "follow":
            name = chance.choice(feeds)
            follow(name)
            followed.add(name)
        elif act == "remove":
            remove("timeline/ann")
            hidden |= brought()
            posted[FOLLOWER].clear()
        elif (job := RemovalJob.objects.order_by("?").first()) is not None:
            removal_jobs.run_step(job.pk)
    finish()
    found = {int(one["time"][8:10]) for one in api.page(FOLLOWER, limit=100)}
    assert found == posted[FOLLOWER] | (brought() - hidden)
