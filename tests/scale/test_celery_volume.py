"""Several workers and queues: on quorum queues of RabbitMQ, with workers that are killed, nothing is lost."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from kombu import Connection

from tests.services.conftest import broker_named, make_site, postgres, reaper
from tests.services.site import Site
from tests.services.test_faults import (
    SEED,
    USERS,
    assert_feeds_equal_tables,
    harm_while,
    start_writers,
    written_by,
)
from tests.services.test_large_fanout import fan_out_while_workers_are_killed

__all__ = ["broker_named", "make_site", "postgres", "reaper"]

pytestmark = pytest.mark.scale

QUORUM = {"x-queue-type": "quorum"}


def test_two_workers_on_two_quorum_queues_of_which_one_is_killed(make_site: Callable[[str], Site]) -> None:
    site, dice = make_site("rabbitmq"), random.Random(SEED)
    site.environment |= {"QUEUE_TYPE": "quorum", "BULK_QUEUE": "quorum_bulk"}
    site.worker_options = ["-Q", "celery_quorum,quorum_bulk"]
    site.environment["DEFAULT_QUEUE"] = "celery_quorum"
    site.start()
    workers = [site.worker, site.another_worker()]
    workers[1].start()
    site.add_users(USERS)

    def kill_one(site: Site) -> None:
        victim = dice.choice(workers)
        site.count[f"{victim.name} killed"] += 1
        victim.kill()
        victim.start()

    writers = start_writers(site)
    harm_while(site, writers, kill_one, every=2)
    written = written_by(site, writers)
    site.wait_until_drained(within=180)

    assert min(site.count.values()) > 0
    assert are_quorum_queues(site, "celery_quorum", "quorum_bulk")
    assert_feeds_equal_tables(site, written)


def test_large_fanouts_have_a_quorum_queue_of_their_own(make_site: Callable[[str], Site]) -> None:
    site = make_site("rabbitmq")
    site.feeds_environment |= {"QUEUE_TYPE": "quorum", "FANOUT_QUEUE": "quorum_fanout"}
    site.feeds_environment["DEFAULT_QUEUE"] = "celery_quorum"
    site.worker_options = ["-Q", "celery_quorum,quorum_fanout"]
    fan_out_while_workers_are_killed(site)
    assert are_quorum_queues(site, "quorum_fanout")


def are_quorum_queues(site: Site, *names: str) -> bool:
    """RabbitMQ refuses to declare a queue as of another kind than it is."""
    with Connection(site.broker.url) as connection:
        for name in names:
            with connection.channel() as channel:
                channel.queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM)
    return True


@pytest.mark.parametrize(
    ("broker", "kind"), [("rabbitmq", "classic"), ("rabbitmq", "quorum"), ("redis", "classic")]
)
def test_what_no_worker_takes_is_seen(broker: str, kind: str, make_site: Callable[[str], Site]) -> None:
    site = make_site(broker)
    site.environment |= {"QUEUE_TYPE": kind, "DEFAULT_QUEUE": f"alone_{kind}", "BULK_QUEUE": f"bulk_{kind}"}
    site.start_api()
    site.add_users(5)
    site.report_of(
        site.run("writer", "tests.services.writer", "--seed", "1", "--operations", "60"), within=60
    )

    status = site.run("status", "django", "stream_outbox", "status", "--json", "--skip-checks")
    assert status.wait(within=60) == 0, status.tail()
    lines = [json.loads(line) for line in status.output.read_text().splitlines() if line.startswith("{")]
    waiting = {line["queue"]: line["messages"] for line in lines if "queue" in line}
    assert waiting.keys() == {f"alone_{kind}", f"bulk_{kind}"}
    assert min(waiting.values()) > 0
    assert lines[-1]["depth"] > 0
    assert lines[-1]["oldest_seconds"] > 0
