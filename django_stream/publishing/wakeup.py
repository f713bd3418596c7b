"""Messages to the broker, sent from a thread of their own: nobody's commit waits for a network."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import Any

from django_stream.conf import stream_settings

logger = logging.getLogger("django_stream.publishing")

Nudge = tuple[str, bool]
"""Database alias, and whether it was a bulk operation."""

# A process that ends right after its commit gives its last message so long to leave.
_FAREWELL_SECONDS = 5.0


class Messenger:
    """Sends each waiting nudge once; what cannot be sent is logged, and the next drain finds its entries."""

    def __init__(self) -> None:
        self._forget_thread()
        atexit.register(self.flush, _FAREWELL_SECONDS)

    def _forget_thread(self) -> None:
        self._changed = threading.Condition()
        self._waiting: set[Nudge] = set()
        self._sending = False
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None

    def send(self, using: str, *, bulk: bool) -> None:
        """Have a nudge sent soon. Never waits, never raises."""
        if self._pid != os.getpid():
            self._forget_thread()  # threads do not survive a fork
        with self._changed:
            self._waiting.add((using, bulk))
            self._changed.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="django_stream.messenger", daemon=True
                )
                self._thread.start()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything has left or failed; False when that took too long."""
        if self._pid != os.getpid():
            return True
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                nudges = sorted(self._waiting)
                self._waiting.clear()
                self._sending = True
            for using, bulk in nudges:
                _send(using, bulk=bulk)
            with self._changed:
                self._sending = False
                self._changed.notify_all()


def _send(using: str, *, bulk: bool) -> None:
    from django_stream import tasks

    queue = stream_settings.CELERY_BULK_QUEUE if bulk else stream_settings.CELERY_QUEUE
    route: dict[str, Any] = {"queue": queue} if queue else {}
    countdown = stream_settings.OUTBOX_WINDOW_SECONDS
    try:
        tasks.drain_outbox.apply_async(args=(using, bulk), countdown=countdown, retry=False, **route)
    except Exception:
        logger.exception(
            "no worker could be woken for the outbox of %r; its entries wait for the next drain", using
        )


messenger = Messenger()
