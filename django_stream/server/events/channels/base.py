"""What each channel can do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

NAME = "django_stream_events"
# So long it takes at most until one who hears sees that they should end.
PATIENCE = 0.5


class Channel(Protocol):
    """One process tells all others that there may be something new."""

    def tell(self) -> None:
        """Tell whoever hears. It waits for a second at most; what its driver raises goes on or is logged."""

    def hear(self, stopped: threading.Event) -> Iterator[None]:
        """One item as soon as we hear, and one whenever there may be something new.

        What the driver raises when the connection is lost for good is passed on.
        """
