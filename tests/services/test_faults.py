"""Whatever is killed, restarted or answers nonsense: afterwards the feeds equal the tables.

The same seed gives every writer the same dice; STREAM_FAULT_SEED and STREAM_FAULT_OPERATIONS change
the seed and the number of saves, edits and deletes.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.services.pipeline import BadRoad
from tests.services.processes import Program, pause, wait_until
from tests.services.site import Site

pytestmark = pytest.mark.services

SEED = os.environ.get("STREAM_FAULT_SEED", "1815")
OPERATIONS = int(os.environ.get("STREAM_FAULT_OPERATIONS", "10000"))
WRITERS = 3
USERS = 40
CHANCES = {
    "500": 0.03,
    "500 instead of the answer": 0.03,
    "429": 0.005,
    "lost on the way": 0.01,
    "answer is lost": 0.02,
    "half an answer": 0.03,
}
Fault = Callable[[Site], None]


def kill_the_worker_in_mid_batch(site: Site) -> None:
    wait_until(lambda: site.leased() > 0 or not site.waiting(), "the worker has work in hand", within=30)
    site.worker.kill()
    site.count["workers killed"] += 1
    site.count["objects in their hands"] += site.leased()
    site.worker.start()


def kill_the_api(site: Site) -> None:
    site.api.kill()
    site.count["API servers killed"] += 1
    pause(0.3)
    site.start_api()


def kill_the_broker(site: Site) -> None:
    site.broker.server.kill()
    site.count["brokers killed"] += 1
    pause(0.5)
    site.broker.start()


def restart_the_database(site: Site) -> None:
    site.postgres.restart_at_once()
    site.count["restarts of PostgreSQL"] += 1


@pytest.fixture
def bad_road() -> Iterator[Callable[[Site], BadRoad]]:
    roads: list[BadRoad] = []

    def lead_to(site: Site) -> BadRoad:
        road = BadRoad(site.api_port, seed=SEED, chances=CHANCES)
        road.start()
        site.environment["STREAM_BACKEND"] = f"http://127.0.0.1:{road.port}"
        roads.append(road)
        return road

    yield lead_to
    for road in roads:
        road.stop()


def start_writers(site: Site, *options: str) -> list[Program]:
    share = -(-OPERATIONS // WRITERS)
    return [
        site.run(
            f"writer{number}",
            "tests.services.writer",
            *("--seed", f"{SEED}:{number}", "--operations", str(share), *options),
        )
        for number in range(WRITERS)
    ]


def harm_while(site: Site, writers: list[Program], fault: Fault, *, every: float) -> None:
    """Do harm at random moments until the writers are done."""
    dice = random.Random(SEED)
    while any(writer.is_running for writer in writers):
        pause(every * dice.uniform(0.5, 1.5))
        fault(site)


def written_by(site: Site, writers: list[Program]) -> Counter[str]:
    total: Counter[str] = Counter()
    for writer in writers:
        total += Counter(site.report_of(writer, within=240))
    return total


def assert_feeds_equal_tables(site: Site, written: Counter[str]) -> None:
    comparison = site.run("comparison", "tests.services.comparison")
    found = site.report_of(comparison, within=120)
    print(f"\nwritten: {dict(written)}\nharm:    {dict(site.count)}\nfound:   {found}")
    assert written["operations"] >= OPERATIONS
    assert written["rolled back"] > 0
    assert found["entries"] > 0
    assert found["differences"] == 0, comparison.tail()
    assert site.parked() == 0
    assert "deadlock detected" not in site.worker.output.read_text(errors="replace")


@pytest.mark.parametrize(
    ("broker", "fault", "every"),
    [
        pytest.param("rabbitmq", kill_the_worker_in_mid_batch, 2, id="worker killed, RabbitMQ"),
        pytest.param("redis", kill_the_worker_in_mid_batch, 2, id="worker killed, Redis"),
        pytest.param("rabbitmq", kill_the_api, 2, id="API killed"),
        pytest.param("rabbitmq", kill_the_broker, 4, id="RabbitMQ killed"),
        pytest.param("redis", kill_the_broker, 2, id="Redis killed"),
        pytest.param("redis", restart_the_database, 3, id="PostgreSQL restarted"),
    ],
)
def test_after_a_fault_feeds_equal_tables(
    broker: str, fault: Fault, every: float, make_site: Callable[[str], Site]
) -> None:
    site = make_site(broker)
    site.start()
    site.add_users(USERS)

    writers = start_writers(site)
    harm_while(site, writers, fault, every=every)
    written = written_by(site, writers)
    site.wait_until_drained(within=180)

    assert site.count.total() > 0
    assert_feeds_equal_tables(site, written)


def test_writers_killed_between_commit_and_nudge_lose_nothing(make_site: Callable[[str], Site]) -> None:
    site = make_site("rabbitmq")
    site.start()
    site.add_users(USERS)

    written = written_by(site, start_writers(site, "--dies"))
    site.wait_until_drained(within=180)

    assert written["killed"] == WRITERS * 20
    assert_feeds_equal_tables(site, written)


def test_an_api_that_answers_nonsense_is_asked_again(
    make_site: Callable[[str], Site], bad_road: Callable[[Site], BadRoad]
) -> None:
    site = make_site("redis")
    site.environment["LEASE_SECONDS"] = "20"
    road = bad_road(site)
    site.start()
    site.add_users(USERS)

    written = written_by(site, start_writers(site))
    site.wait_until_drained(within=240)
    road.mend()
    site.count += road.spoiled

    assert set(CHANCES) <= set(road.spoiled)
    assert_feeds_equal_tables(site, written)
