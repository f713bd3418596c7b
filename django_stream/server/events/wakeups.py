"""Telling the readers of the log, in this process and in others, that there is something new.

Only a hint: readers look at the log by themselves every STREAM_SERVER_STREAMS_POLL_SECONDS.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.db import connections

from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database

logger = logging.getLogger("django_stream.server")

CHANNEL = "django_stream_events"
_NOTIFY = "SELECT pg_notify('django_stream_events', '')"

_here: list[Callable[[], None]] = []


def call_here(wake: Callable[[], None]) -> None:
    """Have a function called at each announcement of this process, in the thread that announces."""
    _here.append(wake)


def call_no_more(wake: Callable[[], None]) -> None:
    if wake in _here:
        _here.remove(wake)


def announce() -> None:
    """Wake the readers; to be called after the commit. What fails is logged: the log is the truth."""
    for wake in list(_here):
        wake()
    try:
        if url := server_settings.STREAMS_REDIS_URL:
            _redis(url).publish(CHANNEL, "")
        elif connections[database()].vendor == "postgresql":
            with connections[database()].cursor() as cursor:
                cursor.execute(_NOTIFY)
    except Exception:  # each driver has errors of its own
        logger.warning("readers of streams could not be woken", exc_info=True)


@lru_cache(maxsize=1)
def _redis(url: str) -> Any:
    from redis import Redis

    return Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
