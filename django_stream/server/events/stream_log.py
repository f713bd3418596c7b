"""The log that App Streams read: written in the transaction of the change, where somebody asks for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from operator import or_

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from django_stream.server.content import encoded
from django_stream.server.events import interest
from django_stream.server.events.event import Event
from django_stream.server.events.stream_entries import Entry, entries
from django_stream.server.events.wakeups import announce
from django_stream.server.feed_store import database
from django_stream.server.models import StreamEvent


class StreamLogReader:
    """Writes down what the application's streams ask for."""

    def wants_events(self) -> bool:
        """Whether any application asks for anything."""
        return interest.anyone()

    def read(self, events: Sequence[Event]) -> None:
        """Write the entries of these events in one statement, and wake the readers after the commit."""
        if erased := [event for event in events if _is_erasure(event)]:
            _forget(erased)
        rows = [
            _row(application_id, entry)
            for application_id, group in groupby(events, key=lambda event: event.application_id)
            if (wanted := interest.of(application_id))
            for entry in entries(group, wanted)
        ]
        if rows:
            StreamEvent.objects.using(database()).bulk_create(rows)
            transaction.on_commit(announce, using=database(), robust=True)


def _row(application_id: int, entry: Entry) -> StreamEvent:
    return StreamEvent(
        application=application_id,
        kind=entry.kind,
        object_id=entry.object_id[:600],
        op=entry.op,
        is_deleted=entry.is_deleted,
        data=encoded(entry.data).decode(),
        created_at=timezone.now(),
    )


def _is_erasure(event: Event) -> bool:
    return event.kind == "activity" and event.action == "delete" and not (event.before or event.after)


def _forget(erased: Sequence[Event]) -> None:
    """Take what is erased out of the log as well: it must not be replayed.

    The whole log is looked through, which no write but this rare one does.
    """
    ids = {event.object_id for event in erased}
    named = reduce(or_, (Q(data__contains=one) for one in sorted(ids)))
    rows = StreamEvent.objects.using(database()).filter(
        named, application=erased[0].application_id, kind__in=("activity", "feed", "notification")
    )
    for row in rows.iterator():
        data = json.loads(row.data)
        if row.kind == "activity" and row.object_id in ids:
            data = {"id": row.object_id}
        elif row.kind == "feed":
            data["new"] = [one for one in data["new"] if one["id"] not in ids]
        row.data = encoded(data).decode()
        row.save(using=database(), update_fields=["data"])
