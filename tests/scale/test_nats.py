"""Nodes that tell each other of news by NATS: what is told while it is away is heard when it is back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.db.server.streams.consumers import Lines
from tests.db.server.streams.site import databases, servers
from tests.db.server.streams.test_wakeups import NEVER, heard_by_another_process
from tests.scale.nats_server import NatsServer
from tests.services.conftest import reaper
from tests.services.processes import Reaper, wait_until

__all__ = ["databases", "reaper", "servers"]

pytestmark = [pytest.mark.scale, pytest.mark.django_db]


@pytest.fixture
def nats(reaper: Reaper) -> Iterator[NatsServer]:
    nats = NatsServer(reaper)
    nats.start()
    yield nats
    nats.server.stop()


def test_one_node_hears_of_another_at_once(servers, nats: NatsServer) -> None:
    heard_by_another_process(servers, STREAMS_POLL_SECONDS=NEVER, STREAMS_WAKEUPS=nats.url)


def test_while_it_is_away_readers_look_by_the_clock(servers, nats: NatsServer) -> None:
    options = {"STREAMS_POLL_SECONDS": 0.2, "STREAMS_WAKEUPS": nats.url}
    first, second = servers(**options), servers(**options)
    with Lines(first.stream()["endpoint"]) as consumer:
        second.post(0)
        assert consumer.objects(1) == ["0"]
        nats.server.kill()
        second.post_many(range(1, 4))
        assert consumer.objects(3) == ["1", "2", "3"]
        nats.start()
        second.post_many(range(4, 7))
        assert consumer.objects(3) == ["4", "5", "6"]


def test_whoever_looks_never_hears_of_everything_when_it_is_back(servers, nats: NatsServer) -> None:
    options = {"STREAMS_POLL_SECONDS": NEVER, "STREAMS_WAKEUPS": nats.url}
    first, second = servers(**options), servers(**options)
    with Lines(first.stream()["endpoint"]) as consumer:
        second.post(0)
        assert consumer.objects(1) == ["0"]
        for number in range(1, 7, 2):
            nats.server.kill()
            second.post(number)
            nats.start()
            assert consumer.objects(1) == [str(number)]
            second.post(number + 1)
            assert consumer.objects(1) == [str(number + 1)]


def test_nodes_that_start_before_it_find_it(servers, nats: NatsServer) -> None:
    nats.server.kill()
    options = {"STREAMS_POLL_SECONDS": NEVER, "STREAMS_WAKEUPS": nats.url}
    first, second = servers(**options), servers(**options)
    with Lines(first.stream()["endpoint"]) as consumer:
        second.post(0)
        nats.start()
        assert consumer.objects(1) == ["0"]
        second.post(1)
        assert consumer.objects(1) == ["1"]


def test_what_is_told_before_it_is_there_waits_as_one(servers, nats: NatsServer) -> None:
    nats.server.kill()
    teller = servers(STREAMS_POLL_SECONDS=NEVER, STREAMS_WAKEUPS=nats.url)
    teller.stream()
    for number in range(20):
        teller.post(number)
    nats.start()
    wait_until(lambda: nats.messages() == 1, "NATS is told", within=30)
    teller.post(20)
    wait_until(lambda: nats.messages() == 2, "NATS is told of what comes then, and of no more", within=30)
