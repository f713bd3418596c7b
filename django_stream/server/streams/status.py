"""How the readers of streams are doing, as all processes together write it down."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from django_stream.server.feed_store import database
from django_stream.server.models import AppStream, StreamReaders
from django_stream.server.streams import log

REFRESH_SECONDS = 5.0
# A process that has not told anything for so long is gone, and its readers with it.
_GONE = timedelta(seconds=REFRESH_SECONDS * 4)


@dataclass(slots=True)
class Progress:
    """What happened at the readers of one stream in one process since it was last written down."""

    readers: int = 0
    sent: int = 0
    dropped: int = 0
    position: int = 0
    """The furthest place that a reader has reached."""


def write(process: uuid.UUID, progress: Mapping[int, Progress]) -> None:
    """Add what happened to the streams' rows."""
    now = timezone.now()
    presence = StreamReaders.objects.using(database())
    for number, one in sorted(progress.items()):
        changed = AppStream.objects.using(database()).filter(pk=number)
        # A stream that is deleted by now has no row to be changed, and may have no readers.
        if changed.update(
            sent=F("sent") + one.sent,
            dropped=F("dropped") + one.dropped,
            position=Greatest(F("position"), one.position),
        ):
            if one.readers:
                presence.update_or_create(
                    stream_id=number, process=process, defaults={"count": one.readers, "seen_at": now}
                )
            else:
                presence.filter(stream_id=number, process=process).delete()


def of(stream: AppStream) -> dict[str, Any]:
    """Readers, lag in events of the log, and what was sent and dropped."""
    rows = StreamReaders.objects.using(database()).filter(stream=stream, seen_at__gt=timezone.now() - _GONE)
    newest = log.state().newest
    return {
        "readers": rows.aggregate(count=Sum("count"))["count"] or 0,
        "lag": max(newest - stream.position, 0),
        "last_event_id": str(stream.position),
        "newest_event_id": str(newest),
        "sent": stream.sent,
        "dropped": stream.dropped,
    }


def forget_the_gone() -> None:
    """Delete what processes that are gone left behind."""
    StreamReaders.objects.using(database()).filter(seen_at__lte=timezone.now() - _GONE).delete()
