"""Very many groups of a feed are marked in steps: in the end as if all had been marked at once."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from django_stream.protocol.feed_ids import FeedID
from django_stream.server.conf import server_settings
from django_stream.server.models import ActivityGroup, AuditLog, Feed, GroupChange, MarkJob
from django_stream.server.reads import feeds
from django_stream.server.timelines import group_marks, timelines
from tests.contract.calling import Api

pytestmark = pytest.mark.django_db
api = Api()
FEED = "feed/notification/ann/"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_marks, "AT_ONCE", 3)


def post(day: int, hour: int = 12) -> str:
    """Into the group of that day."""
    moment = f"2026-01-{day:02}T{hour:02}:00:00"
    return str(api.ok("POST", FEED, {"actor": "a", "verb": "v", "object": "o", "time": moment})["id"])


def read(**marks: Any) -> Any:
    return api.ok("GET", FEED, limit=100, **marks)


def mark(**marks: Any) -> None:
    """Without a look at the groups: `limit=0` reads none."""
    api.ok("GET", FEED, limit=0, **marks)


def waiting() -> tuple[int, int]:
    found = api.ok("GET", FEED, limit=0)
    return found["unseen"], found["unread"]


def days(name: str) -> list[int]:
    """Of the groups that have a mark, newest first."""
    return [int(group["group"][-2:]) for group in read()["results"] if group[name]]


def finish() -> None:
    while group_marks.resume(idle_seconds=-1):
        pass


@pytest.fixture
def ten() -> list[str]:
    return [post(day) for day in range(1, 11)]


def test_the_request_marks_the_newest_and_the_rest_follows(ten: list[str]) -> None:
    mark(mark_seen="true", mark_read="true")
    assert (days("is_seen"), days("is_read")) == ([10, 9, 8], [10, 9, 8])
    assert waiting() == (7, 7)
    finish()
    assert waiting() == (0, 0)
    assert not MarkJob.objects.exists()
    assert AuditLog.objects.filter(action="mark").count() == 1
    mark(mark_unread="true")
    assert waiting() == (0, 3)
    finish()
    assert waiting() == (0, 10)


@pytest.mark.parametrize("number", [0, 1, 3, 4, 6, 7])
def test_any_number_is_marked(number: int) -> None:
    for day in range(1, number + 1):
        post(day)
    mark(mark_seen="true")
    assert MarkJob.objects.exists() == (number > 3)
    finish()
    assert waiting() == (0, number)


def test_a_few_that_wait_among_very_many_need_no_further_step(ten: list[str]) -> None:
    mark(mark_seen="true")
    finish()
    post(2, hour=13)
    mark(mark_seen="true")
    assert not MarkJob.objects.exists()
    assert waiting()[0] == 0


def test_what_comes_meanwhile_is_news(ten: list[str]) -> None:
    mark(mark_seen="true")
    post(11)
    post(1, hour=13)
    post(2, hour=11)  # behind what is there
    finish()
    seen = set(days("is_seen"))
    assert seen == set(range(3, 11))


def test_what_began_to_come_before_and_came_after_is_news(ten: list[str]) -> None:
    mark(mark_seen="true")
    post(2, hour=13)
    # As if its transaction had begun before the mark.
    GroupChange.objects.update(came_at=F("came_at") - 2_000_000)
    read()
    finish()
    assert set(days("is_seen")) == {1, *range(3, 11)}


@pytest.mark.parametrize(("all_of_them", "one"), [("mark_read", "mark_unread"), ("mark_unread", "mark_read")])
def test_what_is_marked_the_other_way_meanwhile_stays(ten: list[str], all_of_them: str, one: str) -> None:
    mark(**{one: "true"})
    finish()
    mark(**{all_of_them: "true"})
    mark(**{one: ten[0]})
    mark(**{one: ten[1]})
    finish()
    expected = {1, 2} if one == "mark_read" else set(range(3, 11))
    assert set(days("is_read")) == expected


def test_the_last_word_on_all_of_them_holds(ten: list[str]) -> None:
    mark(mark_read="true")
    mark(mark_unread="true")
    mark(mark_seen="true")
    finish()
    assert waiting() == (0, 10)
    mark(mark_unread="true")
    mark(mark_read="true")
    finish()
    assert waiting() == (0, 0)


def test_all_of_them_read_and_unread_at_once_are_unread(ten: list[str]) -> None:
    mark(mark_read="true", mark_unread="true")
    finish()
    assert waiting() == (10, 10)


def test_what_moves_down_to_a_job_keeps_a_later_mark(ten: list[str]) -> None:
    newest = post(8, hour=13)
    mark(mark_read="true")
    mark(mark_unread=newest)
    api.ok("DELETE", f"{FEED}{newest}/")
    read()
    finish()
    assert set(days("is_read")) == {1, 2, 3, 4, 5, 6, 7, 9, 10}


def test_a_step_that_is_done_twice_or_too_late_does_no_harm(ten: list[str]) -> None:
    mark(mark_seen="true")
    [job] = MarkJob.objects.all()
    assert group_marks.run_step(job.pk)
    MarkJob.objects.filter(pk=job.pk).update(before=job.before)
    finish()
    assert waiting()[0] == 0
    assert group_marks.run_step(job.pk) is False


def test_a_feed_that_goes_takes_its_job_along(ten: list[str]) -> None:
    mark(mark_seen="true")
    feed = feeds.find(server_settings.own_app_id, FeedID("notification", "ann"))
    timelines().forget(feed)
    assert not MarkJob.objects.exists()


def test_neighbours_are_left_alone(ten: list[str]) -> None:
    api.ok("POST", "feed/notification/bob/", {"actor": "a", "verb": "v", "object": "o"})
    api.ok("GET", "feed/notification/bob/")
    mark(mark_seen="true", mark_read="true")
    finish()
    left = ActivityGroup.objects.filter(is_seen=False, is_read=False)
    assert list(left.values_list("feed", flat=True)) == [Feed.objects.get(user_id="bob").pk]


def test_what_a_request_asks_does_not_grow_with_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_marks, "AT_ONCE", 5)

    def asked() -> int:
        read()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            mark(mark_seen="true", mark_read="true")
        return len(queries)

    for day in range(1, 9):
        post(day)
    few = asked()
    for day in range(9, 29):
        post(day)
    assert asked() == few


@pytest.mark.parametrize("seed", range(8))
def test_in_the_end_all_is_as_if_marked_at_once(seed: int) -> None:
    chance = random.Random(seed)
    newest: dict[int, str] = {}
    seen: dict[int, bool] = {}
    was_read: dict[int, bool] = {}
    hours: dict[int, int] = {}
    for _ in range(70):
        what = chance.choice(["post", "post", "all", "named", "step"])
        if what == "post":
            day = chance.randint(1, 12)
            hours[day] = hours.get(day, 0) + 1
            newest[day] = post(day, hours[day])
            seen[day] = was_read[day] = False
            read()
        elif what == "all" and newest:
            name = chance.choice(["seen", "read", "unread"])
            mark(**{f"mark_{name}": "true"})
            marked = seen if name == "seen" else was_read
            marked.update(dict.fromkeys(marked, name != "unread"))
        elif what == "named" and newest:
            name, some = chance.choice(["seen", "read", "unread"]), chance.sample(sorted(newest), 1)
            mark(**{f"mark_{name}": ",".join(newest[day] for day in some)})
            marked = seen if name == "seen" else was_read
            marked.update(dict.fromkeys(some, name != "unread"))
        elif (job := MarkJob.objects.order_by("?").first()) is not None:
            group_marks.run_step(job.pk)
    finish()
    found = {int(group["group"][-2:]): group for group in read()["results"]}
    assert {day: group["is_seen"] for day, group in found.items()} == seen
    assert {day: group["is_read"] for day, group in found.items()} == was_read


@pytest.mark.parametrize(("all_of_them", "one"), [("mark_read", "mark_unread"), ("mark_unread", "mark_read")])
def test_what_a_job_has_to_spare_is_bounded_while_no_worker_runs(
    all_of_them: str,
    one: str,
    ten: list[str],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(group_marks, "KEPT", 2)
    monkeypatch.setattr(group_marks.background, "on_commit", lambda *_: None)
    mark(**{one: "true"})
    finish()
    mark(**{all_of_them: "true"})
    groups = [group["id"] for group in read()["results"]]
    longest = 0
    for group in reversed(groups):
        with django_capture_on_commit_callbacks(execute=True):
            mark(**{one: group})
        longest = max([longest, *(len(job.kept) for job in MarkJob.objects.all())])
    assert longest == 4
    assert not MarkJob.objects.exists()
    assert days("is_read") == ([] if one == "mark_unread" else list(range(10, 0, -1)))
