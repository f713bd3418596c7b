"""Writers on both nodes of a Galera pair, where locks hold on one node alone, and a node that is killed."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.models import OutboxEntry
from django_stream.publishing.nudge import nudges_held
from django_stream.server.models import Placement, StreamEvent
from django_stream.server.streams import log
from django_stream.tracking import drain
from tests.contract.calling import call, ids, ok, post
from tests.contract.streams import calling as streams
from tests.db.server.test_convergence import ANY, at_once, body, settle_and_compare, step
from tests.db.server.test_feeds_equal_model import FEED_GROUPS, IDS, TIMES
from tests.services.processes import wait_until
from tests.testapp.models import Article

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]

plugin: Any = sys.modules.get("tests.scale.on_galera")
if plugin is None:
    pytest.skip("they are run with -p tests.scale.on_galera, by make test-scale", allow_module_level=True)
on, pair = plugin.on, plugin.pair
STEPS = 40


@pytest.fixture(autouse=True)
def _groups(settings: Any) -> None:
    settings.STREAM_SERVER_FEED_GROUPS = FEED_GROUPS


def both(*works: Callable[[], Any]) -> None:
    """Do the first on the one node and the second on the other one, beginning together."""
    at_once(*(on(node, work) for node, work in zip((pair.first, pair.second), works, strict=True)))


def test_two_connections_are_to_two_nodes() -> None:
    found = []

    def asks() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@wsrep_node_name, @@wsrep_sync_wait")
            found.append(cursor.fetchone())

    both(asks, asks)
    assert sorted(found) == [("first", 7), ("second", 7)]


@pytest.mark.parametrize("inline_most", [5000, 0], ids=["inline", "chunks"])
def test_writers_on_two_nodes_end_in_the_state_of_a_rebuild(settings: Any, inline_most: int) -> None:
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = inline_most
    settings.STREAM_SERVER_FANOUT_CHUNK = 1

    def writer(number: int) -> Callable[[], None]:
        chance = random.Random(number)
        return lambda: [step(chance) for _ in range(STEPS)] and None

    both(writer(1), writer(2))
    settle_and_compare()


_B = {"foreign_id": "b", "time": TIMES["b"], "new_targets": ["user:3", "aggregated:2"]}
WRITES: dict[str, Callable[[], Any]] = {
    "a post": lambda: ok("POST", "feed/user/1/", body("a", ANY) | {"to": ["user:2"]}),
    "an edit": lambda: ok("POST", "activities/", {"activities": [body("b", ("y", "l"))]}),
    "a follow": lambda: ok("POST", "feed/timeline/1/follows/", {"target": "user:1"}),
    "an unfollow": lambda: ok("DELETE", "feed/timeline/2/follows/user:1/"),
    "a removal": lambda: call("DELETE", f"feed/user/1/{IDS['b']}/"),
    "new targets": lambda: call("POST", "feed_targets/user/1/activity_to_targets/", _B),
}


@pytest.fixture
def before_the_commit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Have something done on the other node, and committed, before the next commit of this one."""
    waiting: list[Callable[[], Any]] = []
    commit = connection._commit  # noqa: SLF001

    def alone(work: Callable[[], Any]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    def commits() -> None:
        if waiting:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(alone, on(pair.second, waiting.pop())).result(30)
        commit()

    monkeypatch.setattr(connection, "_commit", commits)
    yield waiting.append
    assert waiting == []


@pytest.mark.parametrize("second", WRITES)
@pytest.mark.parametrize("first", WRITES)
def test_of_two_that_hold_one_feed_on_two_nodes_one_begins_anew(
    first: str, second: str, before_the_commit: Callable[[Callable[[], Any]], None]
) -> None:
    for source, target in (("1", "9"), ("2", "1")):
        ok("POST", f"feed/timeline/{source}/follows/", {"target": f"user:{target}"})
    ok("POST", "feed/user/1/", body("b", ANY))
    for number in "23":
        ok("POST", f"feed/user/{number}/", body("c", ANY))
    before_the_commit(WRITES[second])
    WRITES[first]()
    settle_and_compare()


def test_who_loses_many_times_in_a_row_is_answered_all_the_same(
    before_the_commit: Callable[[Callable[[], Any]], None],
) -> None:
    """On a busy node, where a run takes longer than the pauses of those who write on the other one."""
    post("user:1")
    for _ in range(30):
        before_the_commit(lambda: post("user:1"))
    post("user:1")
    assert Placement.objects.count() == 32
    settle_and_compare()


def test_one_activity_posted_on_both_nodes_is_one() -> None:
    for number in range(5):
        content = body("a", ANY) | {"to": [f"aggregated:{number}"]}
        both(*[lambda number=number, content=content: ok("POST", f"feed/user/{number}/", content)] * 2)
        assert Placement.objects.filter(feed__user_id=str(number)).count() == 2
        [group] = ok("GET", f"feed/aggregated/{number}/")["results"]
        assert group["activity_count"] == 1
    settle_and_compare()


def test_drains_on_both_nodes_publish_each_change_once(make_user: Callable[[str], User]) -> None:
    authors = [make_user(f"author{number}") for number in range(3)]

    @retry_on_deadlock  # a site must do so itself: these rows are its own
    def change(number: int) -> None:
        with transaction.atomic():
            Article.objects.create(author=authors[number % 3], title=str(number))
            Article.objects.filter(title__startswith="1").update(title="10")

    def writes() -> None:
        with nudges_held():
            for number in range(12):
                change(number)

    both(writes, writes)
    assert OutboxEntry.objects.exists()
    both(drain, drain)
    drain()
    assert not OutboxEntry.objects.exists()
    for author in authors:
        shown = [one["title"] for one in ok("GET", f"feed/user/{author.pk}/")["results"]]
        assert sorted(shown) == sorted(author.articles.values_list("title", flat=True))


@pytest.mark.usefixtures("app_streams")
def test_events_of_both_nodes_get_one_place_each() -> None:
    assert streams.call("POST", "streams", streams.BODY)[0] == 200

    def writes() -> None:
        for _ in range(8):
            post("user:1")
            log.give_places()

    both(writes, writes)
    log.give_places()
    places = list(StreamEvent.objects.order_by("position").values_list("position", flat=True))
    assert len(places) >= 16
    assert places == list(range(1, len(places) + 1))


def test_who_reads_on_the_other_node_finds_what_was_written() -> None:
    """By `wsrep_sync_wait`, which the connections of these tests have."""
    missed = []

    def reads() -> None:
        for _ in range(30):
            at_once(on(pair.first, lambda: written.append(post("user:1")["id"])))
            missed.extend(set(written) - set(ids("user:1", limit="100")))

    written: list[str] = []
    at_once(on(pair.second, reads))
    assert len(written) == 30
    assert missed == []


@pytest.mark.parametrize("comes_back", ["with its disk", "without its disk"])
def test_a_node_that_is_killed_costs_nobody_a_write_and_has_all_when_it_is_back(comes_back: str) -> None:
    written: list[str] = []
    over = threading.Event()

    def writes() -> None:
        while not over.is_set():
            written.append(post("user:1")["id"])

    def kills() -> None:
        try:
            wait_until(lambda: written, "somebody writes", within=60)
            # A node that is killed while it changes tables is sent all rows.
            pair.second.catch_up()
            pair.second.server.kill()
            pair.first.wait(1)
            if comes_back == "without its disk":
                pair.second.empty()
            alone = len(written)
            pair.start_second()
            assert len(written) > alone
        finally:
            over.set()

    at_once(on(pair.first, writes), kills)
    # What it missed is all that the one with a disk is sent.
    assert pair.second.was_given_all() == (comes_back == "without its disk")
    held: list[set[Any]] = []
    for node in (pair.first, pair.second):
        at_once(on(node, lambda: held.append(set(Placement.objects.values_list("key", flat=True)))))
    assert held[0] == held[1]
    assert len(held[0]) == len(written)
