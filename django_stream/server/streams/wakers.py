"""Hearing of new events: from this process, and from others by PostgreSQL or Redis."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import connections

from django_stream.database.notifications import notifications
from django_stream.server.conf import server_settings
from django_stream.server.events import wakeups
from django_stream.server.feed_store import database

logger = logging.getLogger("django_stream.server")

# So long it takes at most until the thread sees that it should end.
_PATIENCE = 0.5
_BACK_OFF_SECONDS = 2.0


class Waker:
    """Calls a function, in threads of its own, whenever there may be something new."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._stopped = threading.Event()
        wakeups.call_here(wake)
        if server_settings.STREAMS_REDIS_URL:
            self._start(self._listen_to_redis)
        elif connections[database()].vendor == "postgresql":
            self._start(self._listen_to_postgresql)

    def stop(self) -> None:
        wakeups.call_no_more(self._wake)
        self._stopped.set()

    def _start(self, listen: Callable[[], None]) -> None:
        threading.Thread(target=self._keep, args=[listen], name="django_stream.wakeups", daemon=True).start()

    def _keep(self, listen: Callable[[], None]) -> None:
        """Listen until the end, whatever fails: readers poll meanwhile."""
        while not self._stopped.is_set():
            try:
                listen()
            except Exception as error:  # each driver has errors of its own
                logger.warning("wake-ups of streams cannot be heard: %s", error)
                self._stopped.wait(_BACK_OFF_SECONDS)

    def _listen_to_postgresql(self) -> None:
        for _ in notifications(database(), wakeups.CHANNEL, self._stopped):
            self._wake()

    def _listen_to_redis(self) -> None:
        from redis import Redis

        with Redis.from_url(server_settings.STREAMS_REDIS_URL) as redis, redis.pubsub() as channel:
            channel.subscribe(wakeups.CHANNEL)
            self._wake()
            while not self._stopped.is_set():
                if channel.get_message(ignore_subscribe_messages=True, timeout=_PATIENCE):
                    self._wake()
