"""Places for requests that hold a thread of the server for long: few at once, and no user has them all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django_stream.protocol.errors import ApiError


@dataclass(slots=True)
class Turns:
    """The turns that requests of one kind have in this process."""

    what: str
    """What there are too many of, for the refusal."""
    at_once: int
    waiting: int
    """So many more wait for a turn."""
    each: int
    """So many of both may be of one user."""
    patience: float
    """Seconds that one waits."""
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _running: int = 0
    _of_users: Counter[tuple[int, str]] = field(default_factory=Counter)

    @contextmanager
    def turn(self, application_id: int, user_id: str) -> Iterator[None]:
        """Wait for a turn, and have it; 429. An empty user is the application's own server."""
        user = application_id, user_id
        with self._changed:
            is_full = self._of_users.total() >= self.at_once + self.waiting
            if is_full or (user_id and self._of_users[user] >= self.each):
                raise self._refused()
            self._of_users[user] += 1
            if not self._changed.wait_for(lambda: self._running < self.at_once, self.patience):
                self._leave(user)
                raise self._refused()
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

    def _refused(self) -> ApiError:
        return ApiError.named(
            "RateLimitReached", f"too many {self.what} at once", headers={"Retry-After": "3"}
        )


images = Turns("images", at_once=2, waiting=4, each=3, patience=3.0)
"""Each may need a processor and 200 MB for a second."""
pages = Turns("pages", at_once=4, waiting=0, each=2, patience=0.0)
"""A page of another site may take as long as STREAM_SERVER_OPEN_GRAPH_SECONDS says."""
webhooks = Turns("deliveries", at_once=2, waiting=0, each=2, patience=0.0)
"""So may the webhook of an application."""
