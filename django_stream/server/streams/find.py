"""Streams and filters of an application, by what their paths name them."""

from __future__ import annotations

from django.db.models import QuerySet

from django_stream.server.feed_store import database
from django_stream.server.models import AppStream, StreamFilter
from django_stream.server.streams.refusals import refuse

_MOST = 2**63 - 1


def number(text: str) -> int:
    """A number in a path; -1, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _MOST else -1


def streams(application_id: int) -> QuerySet[AppStream]:
    """The application's streams, the oldest first."""
    rows = AppStream.objects.using(database()).select_related("filter")
    return rows.filter(application_id=application_id).order_by("pk")


def filters(application_id: int) -> QuerySet[StreamFilter]:
    return StreamFilter.objects.using(database()).filter(application_id=application_id).order_by("pk")


def stream(application_id: int, name: str) -> AppStream:
    """A stream by its id or its key; of another application's nothing is told but that there is none."""
    mine = streams(application_id)
    found = mine.filter(key=name).first() if "\0" not in name else None
    found = found or mine.filter(pk=number(name)).first()
    if found is None:
        raise refuse("stream-not-found", f"there is no stream {name!r}", 404)
    return found


def filter_(application_id: int, name: str) -> StreamFilter:
    """A filter by its id."""
    found = filters(application_id).filter(pk=number(name)).first()
    if found is None:
        raise refuse("filter-not-found", f"there is no filter {name!r}", 404)
    return found
