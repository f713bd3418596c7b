"""PostgreSQL's NOTIFY and LISTEN: nothing else to run, a connection of each process that hears."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from django.db import connections

from django_stream.database.notifications import notifications
from django_stream.server.events.channels.base import NAME

_NOTIFY = "SELECT pg_notify(%s, '')"


class Notifications:
    """Of one database."""

    def __init__(self, using: str) -> None:
        self._using = using

    def tell(self) -> None:
        with connections[self._using].cursor() as cursor:
            cursor.execute(_NOTIFY, [NAME])

    def hear(self, stopped: threading.Event) -> Iterator[None]:
        return notifications(self._using, NAME, stopped)
