"""PostgreSQL's notifications: commits that other processes told of, heard on connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# So long it takes at most until a listener sees that it should end.
_PATIENCE = 0.5


def notifications(using: str, channel: str, stopped: threading.Event) -> Iterator[None]:
    """One item as soon as we listen, and one for each notification, on a connection of its own.

    What the driver raises when the connection is lost is passed on. It needs psycopg 3. Behind PgBouncer in
    transaction mode nobody hears anything: `STREAM_DIRECT` of the database, such as `{"PORT": 5432}`, says
    what is different for a connection past it.
    """
    with own_connection(using, past_poolers=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {channel}")
        driver: Any = connection.connection
        yield
        while not stopped.is_set():
            for _ in driver.notifies(timeout=_PATIENCE, stop_after=1):
                yield


@contextmanager
def own_connection(using: str, *, past_poolers: bool = False) -> Iterator[BaseDatabaseWrapper]:
    """A connection that nobody else has or gets, not even by a pool of this process."""
    connection = connections.create_connection(using)
    own = connection.settings_dict
    options = {name: value for name, value in own.get("OPTIONS", {}).items() if name != "pool"}
    past = own.get("STREAM_DIRECT", {}) if past_poolers else {}
    connection.settings_dict = {**own, "OPTIONS": options, **past}
    try:
        yield connection
    finally:
        connection.close()
