"""Which kinds of events an application asks for: what nobody asks for is not logged.

Every write needs to know, and no write should pay for it, so each process remembers the answer for
STREAM_SERVER_STREAMS_NOTICE_SECONDS. Asking for more therefore takes as long (`settle`): when the call
that asks is answered, every process knows, and every write that did not know is committed.
"""

from __future__ import annotations

import logging
import threading
import time

from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_stream.database.transactions import wait_for_writers
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database
from django_stream.server.models import AppStream, FeedListening
from django_stream.server.object_types import kind_of

logger = logging.getLogger("django_stream.server")

# Only a transaction that is stuck takes longer, and nobody should wait for that one.
_WRITER_SECONDS = 5.0

remembered: dict[int, tuple[float, frozenset[str]]] = {}
"""By application, when the database was asked and what it answered."""
anything: list[tuple[float, bool]] = []


def anyone() -> bool:
    """Whether any application asks for anything."""
    if not server_settings.STREAMS:
        return False
    if not anything or _is_old(anything[0][0]):
        now = time.monotonic()
        asked = AppStream.objects.using(database()).exists() or _listening().exists()
        anything[:] = [(now, asked)]
    return anything[0][1]


def of(application_id: int) -> frozenset[str]:
    """The kinds of events that this application asks for."""
    known = remembered.get(application_id)
    if known is None or _is_old(known[0]):
        # The time before the query: what changes meanwhile is not in the answer.
        known = remembered[application_id] = (time.monotonic(), _asked(application_id))
    return known[1]


def _asked(application_id: int) -> frozenset[str]:
    rows = AppStream.objects.using(database()).filter(application_id=application_id)
    kinds = {kind_of(name) for names in rows.values_list("object_types", flat=True) for name in names}
    if _listening().filter(application_id=application_id).exists():
        kinds.add("feed")
    return frozenset(kind for kind in kinds if kind)


def _listening() -> QuerySet[FeedListening]:
    return FeedListening.objects.using(database()).filter(until__gt=timezone.now())


def _is_old(loaded: float) -> bool:
    return time.monotonic() - loaded >= server_settings.STREAMS_NOTICE_SECONDS


def forget() -> None:
    """Ask the database anew, in this process."""
    remembered.clear()
    anything.clear()


def grown() -> None:
    """To be called in the transaction that asks for more: its commit waits until everybody knows.

    Also where somebody else asks for the same already: that call may still be waiting.
    """
    forget()
    transaction.on_commit(_settle, using=database())


def _settle() -> None:
    forget()
    if connections[database()].in_atomic_block:
        return
    threading.Event().wait(server_settings.STREAMS_NOTICE_SECONDS)
    if not wait_for_writers(database(), _WRITER_SECONDS):
        logger.warning(
            "a transaction is open for over %s seconds: a stream that was just made may miss its events",
            _WRITER_SECONDS,
        )
