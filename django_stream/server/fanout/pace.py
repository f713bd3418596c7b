"""How many rows one step of a large fan-out writes, so that it ends soon on any machine.

A step holds the lock of its feed, on SQLite that of the whole database, and a worker. Others wait for all
three, so what counts is how long it takes; how many rows that are, the steps before it have shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django_stream.server.conf import server_settings

_FIRST, _LEAST = 5_000, 100


class Pace:
    """The size of this process's next step. Two threads may use it: the worst is a step of another size."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rows = _FIRST

    def rows(self) -> int:
        """Rows that the next step may write."""
        return max(min(self._rows, server_settings.FANOUT_CHUNK), 1)

    @contextmanager
    def measured(self, rows: int) -> Iterator[None]:
        """A step of so many rows. The next one has twice as many at most, and half as many at least."""
        began = self._clock()
        yield
        seconds = max(self._clock() - began, 1e-6)
        fitting = round(rows * server_settings.FANOUT_STEP_SECONDS / seconds)
        self._rows = max(min(fitting, 2 * self._rows), self._rows // 2, _LEAST)


pace = Pace()
"""Of this process."""
