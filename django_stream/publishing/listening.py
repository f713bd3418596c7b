"""A drain that goes on: woken by the database where it tells of commits, and by the clock."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections

from django_stream.database.notifications import notifications
from django_stream.database.requests import serving_others
from django_stream.publishing.capture import CHANNEL
from django_stream.publishing.drain import drain
from django_stream.publishing.report import DrainReport
from django_stream.wakeup import waker

logger = logging.getLogger("django_stream.publishing")


def drain_until(
    stopped: threading.Event, using: str, every: float, report: Callable[[DrainReport], object]
) -> None:
    """Drain a database whenever it notes changes, and every so many seconds, until stopped.

    `report` is called after each drain that found something to do.
    """
    due = threading.Event()
    due.set()
    if connections[using].vendor == "postgresql":
        threading.Thread(target=_hear, args=[stopped, due, using, every], daemon=True).start()
    try:
        while not stopped.is_set():
            due.wait(every)
            due.clear()
            if not stopped.is_set():
                # What is published next does not wait until the last thing has reached its last follower.
                with serving_others():
                    _drain(using, report)
    finally:
        connections[using].close()
        waker.flush()


def _hear(stopped: threading.Event, due: threading.Event, using: str, pause: float) -> None:
    while not stopped.is_set():
        try:
            for _ in notifications(using, CHANNEL, stopped):
                due.set()
        except Exception as error:  # each driver has errors of its own
            logger.warning("changes in %r cannot be heard of now, only looked for: %s", using, error)
            stopped.wait(pause)
    due.set()


def _drain(using: str, report: Callable[[DrainReport], object]) -> None:
    try:
        close_old_connections()
        done = drain(using)
    except Exception:  # the database may be down: the next round finds it up again
        logger.exception("the outbox of %r could not be drained now; its entries wait", using)
    else:
        if done.published or done.failed or done.parked:
            report(done)
