"""Publish and subscribe of Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from django_stream.server.events.channels.base import NAME, PATIENCE
from django_stream.server.extras import MissingExtra


class Redis:
    """Of a server, or of whatever else a URL of redis-py names."""

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingExtra("wake-ups by Redis", "redis") from error
        self._url, self._driver = url, redis.Redis
        self._writer = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)

    def tell(self) -> None:
        self._writer.publish(NAME, "")

    def hear(self, stopped: threading.Event) -> Iterator[None]:
        with self._driver.from_url(self._url) as redis, redis.pubsub() as channel:
            channel.subscribe(NAME)
            yield
            while not stopped.is_set():
                if channel.get_message(ignore_subscribe_messages=True, timeout=PATIENCE):
                    yield
