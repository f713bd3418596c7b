"""A channel that does not answer costs one write of each second a wait, and not every write."""

from __future__ import annotations

import socket
from contextlib import closing

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
