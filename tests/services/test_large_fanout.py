"""A large fan-out is worked off by a real worker, and survives it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from django_stream.client import StreamClient
from django_stream.protocol import credentials
from tests.services.processes import pause, wait_until
from tests.services.site import Site

pytestmark = pytest.mark.services

FOLLOWERS = 2_500
ACTIVITIES = 40
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
HELD = "SELECT count(DISTINCT feed), count(*) FROM django_stream_server_timelineentry WHERE via > 0"


def test_a_killed_worker_loses_no_follower(make_site: Callable[[str], Site]) -> None:
    fan_out_while_workers_are_killed(make_site("rabbitmq"))


def fan_out_while_workers_are_killed(site: Site) -> None:
    site.feeds_environment |= {
        "DJANGO_SETTINGS_MODULE": "tests.services.feeds_settings",
        "CELERY_BROKER_URL": site.broker.url,
    }
    site.environment = site.feeds_environment
    site.start()
    followers = [f"timeline:{number}" for number in range(FOLLOWERS)]
    client = StreamClient(
        credentials.EMBEDDED_API_KEY,
        credentials.embedded_secret("tests"),
        credentials.EMBEDDED_APP_ID,
        base_url=f"http://127.0.0.1:{site.api_port}",
        timeout=30,
    )
    client.follow_many([{"source": follower, "target": "user:1"} for follower in followers])

    there = add_and_remove(client, site)
    wait_until(lambda: fanouts(site) == 0, "all fan-outs are worked off", within=120)

    print(f"\nharm: {dict(site.count)}, activities: {len(there)}")
    assert site.count["fan-outs in their hands"] > 0
    held = site.postgres.query(site.feeds, HELD)
    assert held == [(FOLLOWERS, len(there) * FOLLOWERS)]
    for follower in random.Random(1).sample(followers, 10):
        page = client.feed(*follower.split(":")).get(limit=100)["results"]
        assert {activity["foreign_id"] for activity in page} == there


def add_and_remove(client: StreamClient, site: Site) -> set[str]:
    """Activities that come and partly go while the worker is killed; what is left of them."""
    feed, there = client.feed("user", "1"), set()
    for number in range(ACTIVITIES):
        name, time = f"post:{number}", START + timedelta(seconds=number)
        feed.add_activity({"actor": "ada", "verb": "post", "object": name, "foreign_id": name, "time": time})
        there.add(name)
        if number % 3 == 2:
            feed.remove_activity(foreign_id=f"post:{number - 1}")
            there.remove(f"post:{number - 1}")
        if number % 8 == 7:
            pause(0.3)
            site.count["fan-outs in their hands"] += fanouts(site)
            site.count["workers killed"] += 1
            site.worker.kill()
            site.worker.start()
    return there


def fanouts(site: Site) -> int:
    return int(site.postgres.query(site.feeds, "SELECT count(*) FROM django_stream_server_fanoutjob")[0][0])
