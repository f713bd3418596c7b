"""Writers at the same time end in the state that a rebuild gives, on a database with real locks."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, connections, transaction

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.server import feed_store
from django_stream.server.fanout import jobs
from django_stream.server.models import FanoutJob, Feed, Placement, PulledPlacement
from django_stream.server.timelines import timelines
from tests.contract.calling import call, ok
from tests.db.server.test_feeds_equal_model import (
    FEED_GROUPS,
    FLAT,
    GROUPED,
    IDS,
    TIMES,
    body,
    path,
    snapshot,
)

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
]
STEPS = 120
ANY = ("x", "k")


@pytest.fixture(autouse=True)
def a_database_with_row_locks(settings):
    assert connection.vendor == "postgresql", "this test is about PostgreSQL: set DATABASE_URL"
    settings.STREAM_SERVER_FEED_GROUPS = FEED_GROUPS


def step(chance: random.Random) -> None:
    """One random write; whatever it is, it is answered and never fails."""
    feed, name = chance.choice(FLAT + GROUPED), chance.choice(sorted(TIMES))
    content = chance.choice(["x", "y"]), chance.choice(["k", "l"])
    target = chance.choice(FLAT)
    many = chance.sample(FLAT + GROUPED, 2)
    choice = chance.randrange(9)
    if choice <= 1:
        answer = call("POST", f"feed/{path(feed)}/", body(name, content, to=many))
    elif choice == 2:
        answer = call("DELETE", f"feed/{path(feed)}/{IDS[name]}/")
    elif choice == 3:
        answer = call("POST", "feed/add_to_many/", {"activity": body(name, content), "feeds": many})
    elif choice == 4:
        answer = call("POST", f"feed/{path(feed)}/follows/", {"target": target, "activity_copy_limit": 2})
    elif choice == 5:
        keep = chance.choice(["true", "false"])
        answer = call("DELETE", f"feed/{path(feed)}/follows/{target}/", keep_history=keep)
    elif choice == 6:
        change = {"foreign_id": name, "time": TIMES[name], "new_targets": many}
        answer = call("POST", f"feed_targets/{path(feed)}/activity_to_targets/", change)
    elif choice == 7:
        erased = [{"id": str(IDS[name]), "remove_from_feeds": chance.sample(FLAT + GROUPED, 1)}]
        answer = call("POST", "data_privacy/delete_activities/", {"activities": erased})
    else:
        answer = call("POST", "activities/", {"activities": [body(name, content)]})
    assert answer.status < 500, answer.body


def at_once(*works: Callable[[], None]) -> None:
    """Run in threads that start together; the first failure is raised."""
    barrier, failures = threading.Barrier(len(works)), []

    def run(work: Callable[[], None]) -> None:
        try:
            barrier.wait()
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def settle_and_compare() -> None:
    jobs.resume(idle_seconds=0)
    assert not FanoutJob.objects.exists()
    before = snapshot()
    for feed in Feed.objects.all():
        timelines().rebuild(feed.pk)
    for found, expected in zip(before, snapshot(), strict=True):
        assert (found - expected, expected - found) == (set(), set())
    assert all(Placement.objects.filter(feed_id=x.feed, key=x.key, seq=x.seq).exists() for x in _noted())


def _noted() -> list[PulledPlacement]:
    return list(PulledPlacement.objects.all())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("inline_most", [5000, 0], ids=["inline", "chunks"])
@pytest.mark.parametrize("push_most", [None, 0, 2], ids=["pushed", "pulled", "pulled from 3 on"])
def test_two_writers_end_in_the_state_of_a_rebuild(settings, seed, inline_most, push_most):
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = inline_most
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = push_most
    settings.STREAM_SERVER_FANOUT_CHUNK = 1

    def writer(number: int) -> Callable[[], None]:
        chance = random.Random(f"{seed} {number}")
        return lambda: [step(chance) for _ in range(STEPS)] and None

    at_once(writer(1), writer(2))
    settle_and_compare()


def test_a_follow_and_a_post_at_once_never_miss_each_other():
    for number in range(25):
        target, source = f"user:{number}", f"timeline:{number}"
        at_once(
            lambda target=target: ok("POST", f"feed/{path(target)}/", body("a", ANY)),
            lambda source=source, target=target: ok(
                "POST", f"feed/{path(source)}/follows/", {"target": target}
            ),
        )
        assert [item["id"] for item in ok("GET", f"feed/{path(source)}/")["results"]] == [str(IDS["a"])]
    settle_and_compare()


def test_one_activity_posted_by_many_at_once_is_one():
    posts = [lambda: ok("POST", "feed/user/1/", body("a", ANY) | {"to": ["aggregated:1"]})] * 4
    at_once(*posts)
    assert Placement.objects.count() == 2
    [group] = ok("GET", "feed/aggregated/1/")["results"]
    assert group["activity_count"] == 1
    settle_and_compare()


def test_the_victim_of_a_deadlock_begins_anew():
    ok("POST", "follow_many/", [{"source": "timeline:1", "target": "user:1"}])
    one, other = Feed.objects.order_by("pk")
    both_hold_one = threading.Barrier(2)
    attempts = []

    def locks(first: Feed, second: Feed) -> Callable[[], None]:
        def work() -> None:
            with transaction.atomic():
                attempts.append(first)
                feed_store.lock([first])
                if len(attempts) <= 2:
                    both_hold_one.wait()
                feed_store.lock([second])

        return retry_on_deadlock(work)

    at_once(locks(one, other), locks(other, one))
    assert len(attempts) == 3


def test_what_is_no_deadlock_fails_at_once():
    attempts = []

    def work() -> None:
        attempts.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")

    with pytest.raises(OperationalError):
        retry_on_deadlock(work)()
    assert attempts == [1]
