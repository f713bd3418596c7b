"""Collection entries are created, replaced and deleted."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_stream.database.bulk_sql import conflicts_on
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


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What an upsert stores: without a user (None) the owner stays, and of an empty one it is nobody's."""

    data: Mapping[str, Any]
    user_id: str | None = None


def upsert_many(application_id: int, entries: Mapping[tuple[str, str], NewEntry]) -> None:
    """Create entries or replace their data and, where they name one, their owner, by (collection, id)."""
    if not entries:
        return
    ensure_application(application_id)
    now = timezone.now()
    with transaction.atomic(using=database()):
        # In one order for everybody, so that batches seldom wait for each other.
        rows = [
            CollectionEntry(
                application_id=application_id,
                collection=collection,
                entry_id=entry_id,
                data=dict(entries[collection, entry_id].data),
                user_id=entries[collection, entry_id].user_id or "",
                created_at=now,
                updated_at=now,
            )
            for collection, entry_id in sorted(entries)
        ]
        keeping = {name for name, entry in entries.items() if entry.user_id is None}
        for keep, owned in ((True, []), (False, ["user_id"])):
            CollectionEntry.objects.using(database()).bulk_create(
                [row for row in rows if ((row.collection, row.entry_id) in keeping) == keep],
                update_fields=["data", "updated_at", *owned],
                **conflicts_on(["application", "collection", "entry_id"], database()),
            )
        record(_event(row, "upsert") for row in rows)


def _event(entry: CollectionEntry, action: str, **more: Any) -> Event:
    owner = "" if action == "delete" else entry.user_id
    return Event.of_row(entry, "collection", str(entry), action, on_behalf_of=owner, **more)
