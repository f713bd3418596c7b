"""PostgreSQL's notifications: commits that other processes told of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from django.db import connections

# So long it takes at most until a listener sees that it should end.
_PATIENCE = 0.5


def notifications(using: str, channel: str, stopped: threading.Event) -> Iterator[None]:
    """One item as soon as we listen, and one for each notification, on a connection of its own.

    What the driver raises when the connection is lost is passed on. It needs psycopg 3.
    """
    connection = connections.create_connection(using)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {channel}")
        driver: Any = connection.connection
        yield
        while not stopped.is_set():
            for _ in driver.notifies(timeout=_PATIENCE, stop_after=1):
                yield
    finally:
        connection.close()
