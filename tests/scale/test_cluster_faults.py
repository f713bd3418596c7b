"""Whatever happens to the cluster, a reader finds what was written before they asked."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from django_stream.protocol.activity_ids import sort_key
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.models import Feed, TimelineChange, TimelineDraw
from django_stream.server.timelines import timelines
from django_stream.server.timelines.clustered import changes, scripts
from django_stream.server.timelines.clustered.changes import key_of
from django_stream.server.timelines.clustered.members import Entry, activity
from tests.contract.calling import ids, ok, post
from tests.scale.held import compare, held
from tests.services.processes import wait_until

pytestmark = [
    pytest.mark.scale,
    pytest.mark.django_db(transaction=True),
]
FOLLOWERS = [f"timeline:{number}" for number in range(12)]


@pytest.fixture
def followed(on_cluster) -> None:
    """Everybody follows user:1, and has read their timeline."""
    ok("POST", "follow_many/", [{"source": one, "target": "user:1"} for one in FOLLOWERS])
    read_all()


def read_all() -> list[list[str]]:
    return [ids(follower) for follower in FOLLOWERS]


def number_of(feed: str) -> int:
    name = FeedID.parse(feed)
    return Feed.objects.get(slug=name.slug, user_id=name.user_id).pk


class Load:
    """Writes one activity after the other, takes some back, and reads a timeline after each change."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.rounds = 0

    def round(self) -> None:
        self.written.insert(0, post("user:1", object=str(self.rounds))["id"])
        if self.rounds % 3 == 2:
            ok("DELETE", f"feed/user/1/{self.written.pop(1)}/")
        reader = FOLLOWERS[self.rounds % len(FOLLOWERS)]
        assert ids(reader, limit=100) == self.written[:100]
        self.rounds += 1

    def run_until(self, happened: Callable[[], object], *, at_most: int = 600) -> None:
        for _ in range(at_most):
            if happened():
                return
            self.round()
        pytest.fail(f"not in {at_most} rounds")

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.round()


def all_told() -> bool:
    timelines().prune()
    return not TimelineChange.objects.exists()


def all_there() -> bool:
    read_all()
    return compare() >= len(FOLLOWERS)


def after_all() -> None:
    """Whatever was not told is told, everybody's timeline is there, and is what the record says.

    Not at once: nobody asks a cluster that has not answered within the last second, and a master that stood
    still may be replaced only then.
    """
    wait_until(all_told, "the cluster hears of all changes", within=30)
    wait_until(all_there, "everybody's timeline is there", within=30)


def test_a_master_is_killed_under_load(followed, nodes):
    load = Load()
    load.run(10)
    feed = number_of(FOLLOWERS[0])
    master = nodes.master_of(key_of(feed))
    replica = nodes.replica_of(master)
    master.server.kill()

    def promoted() -> bool:
        return replica.info()["role"] == "master" and held(feed) is not None

    try:
        load.run_until(promoted)
        load.run(10)
    finally:
        master.server.start()
    after_all()
    wait_until(nodes.is_whole, "the cluster is whole again", within=60)
    load.run(3)
    after_all()


def test_what_a_master_took_and_lost_is_found_in_the_record(followed, nodes):
    """It confirmed changes that its replica had not heard of when it was killed."""
    load = Load()
    load.run(5)
    feed = number_of(FOLLOWERS[0])
    master = nodes.master_of(key_of(feed))
    replica = nodes.replica_of(master)
    replica.server.pause()
    load.run(5)
    assert held(feed) is not None
    assert not TimelineChange.objects.exists()
    master.server.kill()
    replica.server.resume()
    try:
        wait_until(lambda: replica.info()["role"] == "master", "the replica takes over", within=30)
        with nodes.client() as client:
            wait_until(lambda: client.exists(key_of(feed)) is not None, "it serves", within=30)
        assert ids(FOLLOWERS[0], limit=100) == load.written
        load.run(5)
    finally:
        master.server.start()
    after_all()
    wait_until(nodes.is_whole, "the cluster is whole again", within=60)


def test_slots_move_while_somebody_writes(followed, nodes):
    load = Load()
    load.run(5)
    failures: list[BaseException] = []

    def move() -> None:
        try:
            nodes.move_slots(3000)
        except BaseException as error:
            failures.append(error)

    mover = threading.Thread(target=move)
    mover.start()
    load.run_until(lambda: not mover.is_alive())
    mover.join()
    assert failures == []
    load.run(15)
    after_all()


def test_what_a_node_does_late_changes_nothing(followed, nodes):
    """It stood still while it was told of an activity, and goes on when that has been taken back."""
    load = Load()
    load.run(3)
    feed = number_of(FOLLOWERS[0])
    master = nodes.master_of(key_of(feed))
    master.server.pause()
    try:
        late = post("user:1", object="late")["id"]
        assert TimelineChange.objects.exists()
        assert ids(FOLLOWERS[0])[0] == late
    finally:
        master.server.resume()
    ok("DELETE", f"feed/user/1/{late}/")
    for _ in range(3):
        assert ids(FOLLOWERS[0], limit=100) == load.written
    wait_until(nodes.is_whole, "the cluster is whole", within=60)
    after_all()


def test_nobody_notices_that_there_is_no_cluster(followed, nodes, settings, caplog):
    load = Load()
    load.run(3)
    settings.STREAM_SERVER_TIMELINES = "redis://127.0.0.1:1"
    load.run(3)
    assert TimelineChange.objects.exists()
    assert "read the record" in caplog.text
    settings.STREAM_SERVER_TIMELINES = nodes.url
    load.run(3)
    after_all()


def test_what_a_killed_worker_left_is_told_by_the_next(followed, monkeypatch):
    load = Load()
    load.run(3)
    with monkeypatch.context() as killed:
        killed.setattr(changes, "tell", lambda *_: None)
        load.run(3)
    assert TimelineChange.objects.count() >= 3
    timelines().prune()
    assert compare() >= len(FOLLOWERS)
    load.run(3)


def test_what_is_computed_while_it_changes_is_not_stored(followed, monkeypatch):
    load = Load()
    load.run(2)
    feed = number_of(FOLLOWERS[0])
    timelines().rebuild(feed)
    read = changes.record.entries
    begun = []

    def read_and_be_overtaken(number, window):
        found = read(number, window)
        if number == feed and not begun:
            begun.append(number)
            load.written.insert(0, post("user:1", object="meanwhile")["id"])
        return found

    monkeypatch.setattr(changes.record, "entries", read_and_be_overtaken)
    ids(FOLLOWERS[0])
    assert begun == [feed]
    assert held(feed) is None
    assert ids(FOLLOWERS[0]) == load.written
    after_all()


def told_late(script: str, number: int, *arguments: bytes) -> None:
    """What a node that stood still does when it goes on: somebody gave up waiting for it."""
    call = key_of(number_of(FOLLOWERS[0])), [number, *arguments]
    timelines().cluster.run(script, call)


def test_an_addition_that_was_overtaken_does_not_come_back(followed):
    load = Load()
    load.run(2)
    gone = uuid.UUID(post("user:1", object="gone")["id"])
    late = TimelineDraw.objects.create().pk
    ok("DELETE", f"feed/user/1/{gone}/")
    entry = Entry(sort_key(gone), number_of("user:1"))
    told_late(scripts.ADD, late, entry.packed)
    # Whether it was added after it was removed, or before, nobody can say there.
    assert held(number_of(FOLLOWERS[0])) is None
    assert ids(FOLLOWERS[0]) == load.written
    timelines().rebuild(number_of(FOLLOWERS[0]))
    assert ids(FOLLOWERS[0]) == load.written
    told_late(scripts.ADD, late, entry.packed)
    assert held(number_of(FOLLOWERS[0])) is not None
    after_all()


def test_a_removal_that_was_overtaken_takes_nothing_away(followed):
    load = Load()
    load.run(2)
    late = TimelineDraw.objects.create().pk
    load.run(2)
    known = activity(sort_key(uuid.UUID(load.written[0])))
    told_late(scripts.REMOVE, late, known, b"")
    assert ids(FOLLOWERS[0]) == load.written
    told_late(scripts.REMOVE, late, known, b"")
    assert held(number_of(FOLLOWERS[0])) is not None
    after_all()


def test_a_fan_out_and_a_page_ask_no_node_which_keys_they_name(followed, nodes):
    """redis-py 8 does so for each script in a pipeline, and a fan-out takes three times as long."""
    with nodes.client() as client:
        client.config_resetstat(target_nodes=client.ALL_NODES)
        post("user:1")
        assert len(read_all()) == len(FOLLOWERS)
        asked = client.info("commandstats", target_nodes=client.PRIMARIES)
    commands = {name for each in asked.values() for name in each}
    assert "cmdstat_evalsha" in commands
    assert "cmdstat_command|getkeys" not in commands
