"""Hearing of new events: from this process, and from others by a channel."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django_stream.server.events import wakeups
from django_stream.server.events.channels import channel

logger = logging.getLogger("django_stream.server")

_BACK_OFF_SECONDS = 2.0


class Waker:
    """Calls a function, in threads of others, whenever there may be something new."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._stopped = threading.Event()
        wakeups.call_here(wake)
        threading.Thread(target=self._keep, name="django_stream.wakeups", daemon=True).start()

    def stop(self) -> None:
        wakeups.call_no_more(self._wake)
        self._stopped.set()

    def _keep(self) -> None:
        """Listen until the end, whatever fails: readers poll meanwhile."""
        while not self._stopped.is_set():
            try:
                if (found := channel()) is None:
                    return
                for _ in found.hear(self._stopped):
                    self._wake()
            except Exception as error:  # each driver has errors of its own
                logger.warning("wake-ups of streams cannot be heard: %s", error)
                self._stopped.wait(_BACK_OFF_SECONDS)
