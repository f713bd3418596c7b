"""Who opens a stream and takes nothing costs little, and stalls nobody: a real server, real sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from django_stream.server.streams.admission import Admission
from django_stream.server.streams.frames import Frame
from django_stream.server.streams.readers import Reader
from django_stream.server.streams.subscriptions import Subscription
from tests.db.server.streams.consumers import Lines
from tests.db.server.streams.stubborn import KINDS, connected, frame, memory_of, sockets_of, stubborn, upgrade
from tests.extras import needs
from tests.services.processes import wait_until

pytestmark = needs("streams")
every_kind = pytest.mark.parametrize("kind", KINDS)

LARGE = "x" * 9000
# Each of 20 readers would hold 10 MB more than once.
LITTLE = 100.0


@every_kind
def test_readers_of_the_log_who_take_nothing_hold_little_of_it(servers, kind):
    server = servers()
    endpoint = server.stream()["endpoint"]
    server.post_many(range(1000), text=LARGE)
    with Lines(endpoint, last_event_id="0") as consumer:
        consumer.objects(1000)
    before = memory_of(server)
    with ExitStack() as readers:
        for _ in range(20):
            readers.enter_context(stubborn(server, endpoint, kind, "last_event_id=0"))
        with Lines(endpoint, last_event_id="0") as consumer:
            assert len(consumer.objects(1000)) == 1000
        assert memory_of(server) - before < LITTLE


def test_what_waits_for_a_reader_has_a_limit_of_bytes(streams):
    async def story() -> list[bool]:
        reader = Reader(Admission(Subscription(1, 1, ("activity",)), "", 0))
        reader.is_live = True
        live = []
        for position in range(1, 40):
            reader.push(Frame(b"x" * 60_000, position=position))
            live.append(reader.is_live)
        return live

    live = asyncio.run(story())
    assert live.index(False) == 18


@every_kind
def test_who_is_cut_off_leaves_no_socket_behind(servers, kind):
    server = servers(STREAMS_SLOW_SECONDS=0.5)
    stream = server.stream()
    with ExitStack() as readers:
        for _ in range(5):
            readers.enter_context(stubborn(server, stream["endpoint"], kind))
        before = sockets_of(server)
        server.post_many(range(700), text=LARGE)
        wait_until(lambda: server.status(stream)["dropped"] == 5, "they are cut off", within=30)
        wait_until(lambda: sockets_of(server) <= before - 5, "their sockets are closed", within=15)


def test_who_takes_a_byte_now_and_then_is_cut_off(servers):
    server = servers(STREAMS_SLOW_SECONDS=1.0)
    stream = server.stream()
    with stubborn(server, stream["endpoint"]) as slow:
        server.post_many(range(700), text=LARGE)

        def is_cut() -> bool:
            with suppress(OSError):
                slow.recv(1)
            return server.status(stream)["dropped"] == 1

        wait_until(is_cut, "it is cut off", within=30)


GARBAGE = {
    "frame of 100 MB": frame(b"x" * 400_000, length=100 * 1024 * 1024),
    "fragments without end": frame(b"x", fin=False) + frame(b"x" * 1000, opcode=0, fin=False) * 400,
    "bytes that are no text": frame(b"\xff\xfe\xfd"),
    "binary": frame(b"\0\1\2", opcode=2),
    "opcode that there is not": frame(b"x", opcode=5),
    "unmasked": b"\x81\x01x",
    "ping too long": frame(b"x" * 200, opcode=9),
    "half a frame": b"\x81\xfe",
    "pings": frame(b"x" * 100, opcode=9) * 2000,
    "messages": frame(b"x" * 100) * 2000,
}
HEADERS = [
    "Upgrade: websocket\r\nConnection: Upgrade\r\n",
    upgrade() + "Sec-WebSocket-Version: 99\r\n",
    "Upgrade: \xff\xfe\r\nConnection: Upgrade\r\n",
    "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Key: =\r\n",
    upgrade() + "X: " + "x" * 100_000 + "\r\n",
    "Content-Length: 99999999999\r\n",
    "Transfer-Encoding: chunked\r\n",
]


@pytest.mark.parametrize("path", ["stream", "/faye"])
def test_whatever_is_sent_to_a_socket_costs_little_and_stalls_nobody(servers, path):
    server = servers()
    stream = server.stream()
    address = stream["endpoint"] if path == "stream" else server.base.replace("/api/v1.0/", path)
    server.post(0)
    before, open_before = memory_of(server), sockets_of(server)
    with ExitStack() as strangers:
        for headers in HEADERS:
            strangers.enter_context(connected(server, address, headers)).sendall(b"x" * 10_000)
        for garbage in GARBAGE.values():
            one = strangers.enter_context(connected(server, address, upgrade()))
            one.recv(12)
            one.settimeout(1)
            with suppress(OSError):
                one.sendall(garbage)
        halves = [strangers.enter_context(connected(server, address, upgrade())) for _ in range(5)]
        for one in halves:
            one.shutdown(socket.SHUT_WR)
        with Lines(stream["endpoint"], last_event_id="0") as consumer:
            started = time.monotonic()
            server.post(1)
            consumer.objects(2)
            assert time.monotonic() - started < 5
        assert memory_of(server) - before < LITTLE
    wait_until(lambda: sockets_of(server) <= open_before, "nothing is left behind", within=15)
    assert "Traceback" not in server.log.read_text()
