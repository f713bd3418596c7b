"""Writing outbox entries in sets: plain INSERTs that wake nobody."""

from __future__ import annotations

from collections.abc import Iterable

from django_stream.database.batches import batched
from django_stream.database.bulk_sql import insert_copies
from django_stream.publishing.models import OutboxEntry

_BATCH = 1000


def insert_entries(pattern: OutboxEntry, keys: Iterable[str], using: str) -> int:
    """Insert a copy of the pattern for each key; returns how many."""
    # Of all databases only SQLite stores a NUL, and its JSON ends there: no such row would be found again.
    count = 0
    for batch in batched((key for key in keys if "\0" not in key), _BATCH):
        insert_copies(pattern, "object_key", batch, using)
        count += len(batch)
    return count
