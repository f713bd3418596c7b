"""Readers of one process hear of a write of another: at once where the database or Redis can tell them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from django_stream.client import connect
from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server.conf import server_settings
from tests.db.server.streams.consumers import Lines
from tests.extras import needs
from tests.services.processes import wait_until

pytestmark = needs("streams")

NEVER = 3600.0
"""Whoever polls so seldom gets an event in time only when woken."""

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="LISTEN is PostgreSQL's")
on_sqlite = pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL wakes by itself")


def heard_by_another_process(servers: Any, **settings: Any) -> None:
    first, second = servers(**settings), servers(**settings)
    with Lines(first.stream()["endpoint"]) as consumer:
        first.post(0)
        assert consumer.objects(1) == ["0"]
        for number in range(1, 4):
            second.post(number)
            assert consumer.objects(1) == [str(number)]


@on_postgresql
def test_by_notify(servers):
    heard_by_another_process(servers, STREAMS_POLL_SECONDS=NEVER)


@pytest.mark.services
def test_by_redis(servers):
    heard_by_another_process(servers, STREAMS_POLL_SECONDS=NEVER, STREAMS_WAKEUPS="redis://127.0.0.1:6379/0")


@on_sqlite
def test_by_polling(servers):
    heard_by_another_process(servers, STREAMS_POLL_SECONDS=0.2)


@on_sqlite
@pytest.mark.parametrize("scheme", ["redis", pytest.param("nats", marks=needs("nats"))])
def test_what_is_down_delays_and_loses_nothing(servers, scheme):
    heard_by_another_process(servers, STREAMS_POLL_SECONDS=0.2, STREAMS_WAKEUPS=f"{scheme}://127.0.0.1:9")


def test_the_client_listens_over_http_through_a_restart(servers):
    server = servers()
    client = connect(
        EMBEDDED_API_KEY, server_settings.own_secret, base_url=server.base.removesuffix("/api/v1.0/")
    )
    client.streams.ensure("bot", ["activity"])
    server.post_many(range(3))
    events = client.streams.listen("bot")
    assert [next(events).data["object"] for _ in range(2)] == ["0", "1"]
    server.kill()
    server.start()
    server.post(3)
    assert [next(events).data["object"] for _ in range(2)] == ["2", "3"]
    client.streams.delete("bot")
    assert next(events, None) is None
    wait_until(lambda: client.streams.all() == [], "the stream is gone", within=10)
    client.close()
