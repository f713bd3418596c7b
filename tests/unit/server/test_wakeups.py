"""A channel that does not answer costs one write of each second a wait, and not every write."""

from __future__ import annotations

import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from django_stream.server.events import channels
from django_stream.server.events.wakeups import Others
from tests.extras import needs


@needs("redis")
def test_a_redis_that_stands_still_is_not_waited_for_again_and_again(settings):
    others = Others()
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        settings.STREAM_SERVER_STREAMS_WAKEUPS = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        others.tell()
        assert tries(silent) >= 1
        others.tell()
        assert tries(silent) == 0


def tries(server: socket.socket) -> int:
    """How many connections were made meanwhile."""
    server.setblocking(False)
    found = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return found
        found += 1


class Slow:
    """A channel of which two could be made at the same time."""

    both = threading.Barrier(2)

    def __init__(self, url: str) -> None:
        with suppress(threading.BrokenBarrierError):
            self.both.wait(0.5)


def test_who_ask_at_once_for_the_first_time_share_a_channel(monkeypatch):
    monkeypatch.setitem(channels.BY_SCHEME, "slow", Slow)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(channels.channel_at, ["slow://"] * 2)
    assert first is second
    assert channels.channel_at("slow://") is first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it is forked")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_has_a_channel_of_its_own_whoever_was_making_one(monkeypatch):
    making, go_on, parent = threading.Event(), threading.Event(), os.getpid()

    def held(url: str) -> None:
        if os.getpid() == parent:
            making.set()
            go_on.wait(20)

    monkeypatch.setitem(channels.BY_SCHEME, "held", held)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(channels.channel_at, "held://")
        making.wait(20)
        if not (child := os.fork()):
            signal.alarm(20)
            try:
                channels.channel_at("held://")
                os._exit(7)
            finally:
                os._exit(1)
        go_on.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
