"""Telling the readers of the log, in this process and in others, that there is something new.

Only a hint: readers look at the log by themselves every STREAM_SERVER_STREAMS_POLL_SECONDS.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django_stream.server.events.channels import channel

logger = logging.getLogger("django_stream.server")

# A channel that failed is left alone for so long: no write after another waits for one that does not answer.
_REST_SECONDS = 1.0

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
    _others.tell()


class Others:
    """The readers of other processes."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def tell(self) -> None:
        if time.monotonic() < self._rests_until:
            return
        try:
            if (found := channel()) is not None:
                found.tell()
        except Exception:  # each driver has errors of its own
            logger.warning("readers of streams could not be woken", exc_info=True)
            self._rests_until = time.monotonic() + _REST_SECONDS


_others = Others()
