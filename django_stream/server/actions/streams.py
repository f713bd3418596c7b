"""Streams and filters of an application are created, changed and deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from django.db import transaction

from django_stream.database.bulk_sql import row_locks
from django_stream.protocol.errors import ApiError
from django_stream.server.events import interest
from django_stream.server.events.event import Event, fields_of
from django_stream.server.events.recording import record
from django_stream.server.events.wakeups import announce
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import Application, AppStream, StreamFilter
from django_stream.server.streams import find, log
from django_stream.server.streams.admission import Admission
from django_stream.server.streams.refusals import check_enabled, refuse

STREAMS_MAX = 5
FILTERS_MAX = 100


def create(application_id: int, fields: Mapping[str, Any]) -> AppStream:
    """A new stream. It begins with the events that follow the answer."""
    check_enabled()
    with transaction.atomic(using=database()):
        _lock(application_id)
        streams = find.streams(application_id)
        if streams.count() >= STREAMS_MAX:
            raise refuse("stream-limit", f"an application may have at most {STREAMS_MAX} streams")
        log.give_places()
        stream = AppStream(
            application_id=application_id,
            key=fields["key"] or uuid.uuid4().hex,
            object_types=fields["object_types"],
            filter=_filter(application_id, fields["filter_id"]),
            position=log.state().newest,
        )
        _check_key(stream, fields["key"])
        stream.save(using=database(), force_insert=True)
        if not fields["key"]:
            stream.key = str(stream.pk)
            stream.save(using=database(), update_fields=["key"])
        record([Event.of_row(stream, "stream", str(stream.pk), "create")])
        _changed(asks=True)
    return stream


def update(application_id: int, name: str, fields: Mapping[str, Any]) -> AppStream:
    """Change the given fields; readers that are connected are told, and get what is asked for now."""
    with transaction.atomic(using=database()):
        _lock(application_id)
        stream = find.stream(application_id, name)
        before = fields_of(stream)
        if "object_types" in fields:
            stream.object_types = fields["object_types"]
        if "filter_id" in fields:
            stream.filter = _filter(application_id, fields["filter_id"])
        if "key" in fields:
            stream.key = fields["key"] or str(stream.pk)
            _check_key(stream, fields["key"])
        stream.save(using=database(), update_fields=["key", "object_types", "filter"])
        record([Event.of_row(stream, "stream", str(stream.pk), "update", before=before)])
        _changed(asks="object_types" in fields)
    return stream


def delete(application_id: int, name: str) -> AppStream:
    """Delete a stream; its readers are disconnected. The row as it was."""
    with transaction.atomic(using=database()):
        _lock(application_id)
        return _delete(find.stream(application_id, name))


def at_end(admitted: Admission) -> Callable[[], object] | None:
    """What is to be done when a connection ends: its stream goes if the connection asked for that."""
    if not admitted.auto_delete:
        return None

    def delete_if_there() -> None:
        with suppress(ApiError):
            delete(admitted.subscription.application_id, str(admitted.subscription.number))

    return delete_if_there


def delete_all(application_id: int) -> list[AppStream]:
    """Delete all streams of an application."""
    with transaction.atomic(using=database()):
        _lock(application_id)
        return [_delete(stream) for stream in find.streams(application_id)]


def _delete(stream: AppStream) -> AppStream:
    number = stream.pk
    record([Event.of_row(stream, "stream", str(number), "delete", is_gone=True)])
    stream.delete(using=database())
    stream.pk = number
    _changed()
    return stream


def create_filter(application_id: int, fields: Mapping[str, Any]) -> StreamFilter:
    """A new filter, which no stream uses yet."""
    with transaction.atomic(using=database()):
        _lock(application_id)
        if find.filters(application_id).count() >= FILTERS_MAX:
            raise refuse("filter-limit", f"an application may have at most {FILTERS_MAX} filters")
        row = StreamFilter.objects.using(database()).create(application_id=application_id, **fields)
        record([Event.of_row(row, "filter", str(row.pk), "create")])
    return row


def replace_filter(application_id: int, name: str, fields: Mapping[str, Any]) -> StreamFilter:
    """Replace a filter; every stream that uses it takes the new one, open connections included."""
    with transaction.atomic(using=database()):
        _lock(application_id)
        row = find.filter_(application_id, name)
        before = fields_of(row)
        for field, value in fields.items():
            setattr(row, field, value)
        row.save(using=database(), update_fields=list(fields))
        record([Event.of_row(row, "filter", str(row.pk), "update", before=before)])
        _changed()
    return row


def delete_filter(application_id: int, name: str) -> StreamFilter:
    """Delete a filter that no stream uses."""
    with transaction.atomic(using=database()):
        _lock(application_id)
        return _delete_filter(find.filter_(application_id, name))


def delete_all_filters(application_id: int) -> list[StreamFilter]:
    """Delete all filters of an application, or none if a stream uses one."""
    with transaction.atomic(using=database()):
        _lock(application_id)
        return [_delete_filter(row) for row in find.filters(application_id)]


def _delete_filter(row: StreamFilter) -> StreamFilter:
    if using := list(row.streams.using(database()).order_by("pk").values_list("key", flat=True)):
        # Without it, a stream would suddenly have everything.
        raise refuse("filter-in-use", f"filter {row.pk} is used by the streams {', '.join(using)}")
    number = row.pk
    record([Event.of_row(row, "filter", str(number), "delete", is_gone=True)])
    row.delete(using=database())
    row.pk = number
    return row


def _lock(application_id: int) -> None:
    """One at a time for each application, so that two calls never make a sixth stream or an equal key."""
    ensure_application(application_id)
    rows = Application.objects.using(database())
    rows.select_for_update(**row_locks(database(), no_key=True)).get(pk=application_id)


def _filter(application_id: int, filter_id: str | None) -> StreamFilter | None:
    if filter_id is None:
        return None
    found = find.filters(application_id).filter(pk=find.number(filter_id)).first()
    if found is None:
        raise refuse("invalid-filter", f"filter_id: there is no filter {filter_id!r}")
    return found


def _check_key(stream: AppStream, given: str | None) -> None:
    if given is None:
        return
    others = find.streams(stream.application_id).exclude(pk=stream.pk)
    if given.isdigit() and given != str(stream.pk):
        raise refuse("invalid-key", "key: a number by itself is the one that is given to the stream")
    if others.filter(key=given).exists():
        raise refuse("duplicate-key", f"key: another stream has the key {given!r}")


def _changed(*, asks: bool = False) -> None:
    """Have live connections look at what they serve; `asks` for what may be more than before."""
    if asks:
        interest.grown()
    else:
        interest.forget()
    log.touch()
    transaction.on_commit(announce, using=database(), robust=True)
