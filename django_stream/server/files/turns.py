"""Whose turn it is to have an image unpacked: each may need a processor and 200 MB for a second."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django_stream.protocol.errors import ApiError

AT_ONCE = 2
"""So many images are worked on in a process at once."""
WAITING = 4
"""So many requests wait for a turn. Each holds a thread of the server."""
EACH = 3
"""So many of both may be of one user."""
PATIENCE = 3.0
"""Seconds that one waits."""


class Turns:
    """The turns of one process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._of_users: Counter[tuple[int, str]] = Counter()

    @contextmanager
    def turn(self, application_id: int, user_id: str) -> Iterator[None]:
        """Wait for a turn, and have it. An empty user is the application's own server."""
        user = application_id, user_id
        with self._changed:
            if sum(self._of_users.values()) >= AT_ONCE + WAITING or (
                user_id and self._of_users[user] >= EACH
            ):
                raise _refused()
            self._of_users[user] += 1
            if not self._changed.wait_for(lambda: self._running < AT_ONCE, PATIENCE):
                self._leave(user)
                raise _refused()
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._leave(user)
                self._changed.notify()

    def _leave(self, user: tuple[int, str]) -> None:
        self._of_users[user] -= 1
        # Whoever has come once is not remembered.
        self._of_users += Counter()


turns = Turns()


def _refused() -> ApiError:
    return ApiError.named("RateLimitReached", "too many images at once", headers={"Retry-After": "3"})
