"""Collection entries are created, replaced and deleted."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_stream.server.events.event import Event, fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import CollectionEntry
from django_stream.server.ownership import check_owner
from django_stream.server.validation import conflicting, missing


def create(
    application_id: int, collection: str, entry_id: str, data: Mapping[str, Any], user_id: str = ""
) -> CollectionEntry:
    """A new entry; without an id it gets one."""
    ensure_application(application_id)
    with transaction.atomic(using=database()):
        now = timezone.now()
        entry, created = CollectionEntry.objects.using(database()).get_or_create(
            application_id=application_id,
            collection=collection,
            entry_id=entry_id or str(uuid.uuid4()),
            defaults={"data": dict(data), "user_id": user_id, "created_at": now, "updated_at": now},
        )
        if not created:
            raise conflicting("collection entry", str(entry))
        record([_event(entry, "create")])
    return entry


def update(application_id: int, collection: str, entry_id: str, data: Mapping[str, Any]) -> CollectionEntry:
    """Replace an entry's data."""
    with transaction.atomic(using=database()):
        rows = CollectionEntry.objects.using(database()).filter(
            application_id=application_id, collection=collection, entry_id=entry_id
        )
        entry = rows.select_for_update().first()
        if entry is None:
            raise missing("collection entry", f"{collection}:{entry_id}")
        check_owner(entry.user_id)
        before = fields_of(entry)
        entry.data, entry.updated_at = dict(data), timezone.now()
        entry.save(using=database(), update_fields=["data", "updated_at"])
        record([_event(entry, "update", before=before)])
    return entry


def delete(application_id: int, collection: str, entry_ids: Collection[str]) -> int:
    """Delete entries of one collection; how many existed."""
    with transaction.atomic(using=database()):
        rows = CollectionEntry.objects.using(database()).filter(
            application_id=application_id, collection=collection, entry_id__in=entry_ids
        )
        gone = list(rows.select_for_update().order_by("entry_id"))
        for entry in gone:
            check_owner(entry.user_id)
        rows.filter(entry_id__in=[entry.entry_id for entry in gone]).delete()
        record(_event(entry, "delete", is_gone=True) for entry in gone)
    return len(gone)


def upsert_many(application_id: int, entries: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    """Create entries or replace their data, by (collection, id). Owners stay."""
    if not entries:
        return
    ensure_application(application_id)
    now = timezone.now()
    with transaction.atomic(using=database()):
        # In one order for everybody, so that two batches never wait for each other.
        rows = [
            CollectionEntry(
                application_id=application_id,
                collection=collection,
                entry_id=entry_id,
                data=dict(entries[collection, entry_id]),
                created_at=now,
                updated_at=now,
            )
            for collection, entry_id in sorted(entries)
        ]
        CollectionEntry.objects.using(database()).bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["application", "collection", "entry_id"],
            update_fields=["data", "updated_at"],
        )
        record(_event(row, "upsert") for row in rows)


def _event(entry: CollectionEntry, action: str, **more: Any) -> Event:
    owner = "" if action == "delete" else entry.user_id
    return Event.of_row(entry, "collection", str(entry), action, on_behalf_of=owner, **more)
