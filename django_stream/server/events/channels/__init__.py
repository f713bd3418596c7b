"""Ways by which a process tells others that there is something new in the log, each only a hint.

The log in the database is the truth, and readers look at it by the clock whatever happens. So nothing here is
kept or acknowledged: what nobody hears costs its readers STREAM_SERVER_STREAMS_POLL_SECONDS at most.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from django.db import connections

from django_stream.server.conf import server_settings
from django_stream.server.events.channels import nats, redis
from django_stream.server.events.channels.base import Channel
from django_stream.server.events.channels.postgresql import Notifications
from django_stream.server.feed_store import database

__all__ = ["Channel", "channel", "channel_at"]

BY_SCHEME: dict[str, Callable[[str], Channel]] = {
    **dict.fromkeys(("redis", "rediss", "unix"), redis.Redis),
    **dict.fromkeys(("nats", "tls"), nats.Nats),
}


def channel() -> Channel | None:
    """The one that the settings name, else PostgreSQL's own; None where nothing tells anybody."""
    if url := server_settings.STREAMS_WAKEUPS:
        return channel_at(url)
    return Notifications(database()) if connections[database()].vendor == "postgresql" else None


def channel_at(url: str) -> Channel:
    """The channel of a URL, which connects when it is used; ValueError or MissingExtra where none can be."""
    # Of two threads that ask first at the same time, each would get a connection of its own.
    with _making:
        return _made(url)


@lru_cache(maxsize=1)
def _made(url: str) -> Channel:
    scheme = urlsplit(url).scheme
    if scheme not in BY_SCHEME:
        raise ValueError(
            f"no channel has URLs that begin with {scheme!r}: take one of {', '.join(BY_SCHEME)}"
        )
    return BY_SCHEME[scheme](url)


_making = threading.Lock()


def _begin_anew() -> None:
    """Neither connections nor threads survive a fork, and one of them may have held the lock."""
    global _making
    _making = threading.Lock()
    _made.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
