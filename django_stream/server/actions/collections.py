"""Collection entries are created, replaced and deleted."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_stream.server.actions import audit
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import CollectionEntry
from django_stream.server.validation import TEXT_LENGTH, conflicting, missing


def create(
    application_id: int, collection: str, entry_id: str, data: Mapping[str, Any], user_id: str = ""
) -> CollectionEntry:
    """A new entry, with an id of ours if none is given."""
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
        audit.changed(application_id, "collection", [_logged(entry)], "create", user_id=user_id)
    return entry


def update(application_id: int, collection: str, entry_id: str, data: Mapping[str, Any]) -> CollectionEntry:
    """Replace an entry's data."""
    with transaction.atomic(using=database()):
        rows = CollectionEntry.objects.using(database()).filter(
            application_id=application_id, collection=collection, entry_id=entry_id
        )
        if not rows.update(data=dict(data), updated_at=timezone.now()):
            raise missing("collection entry", f"{collection}:{entry_id}")
        entry = rows.get()
        audit.changed(application_id, "collection", [_logged(entry)], "update", user_id=entry.user_id)
        return entry


def delete(application_id: int, collection: str, entry_ids: Collection[str]) -> int:
    """Delete entries of one collection; how many existed."""
    with transaction.atomic(using=database()):
        rows = CollectionEntry.objects.using(database()).filter(
            application_id=application_id, collection=collection, entry_id__in=entry_ids
        )
        gone = list(rows.select_for_update().order_by("entry_id").values_list("entry_id", flat=True))
        rows.filter(entry_id__in=gone).delete()
        names = [_logged(CollectionEntry(collection=collection, entry_id=entry_id)) for entry_id in gone]
        audit.changed(application_id, "collection", names, "delete")
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
        audit.changed(application_id, "collection", [_logged(row) for row in rows], "upsert")


def _logged(entry: CollectionEntry) -> str:
    """Its name in the audit log, which has room for one long id and not for two."""
    return str(entry)[:TEXT_LENGTH]
