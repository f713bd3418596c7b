"""How many reactions activities have: read from the counters that every write keeps."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from django_stream.database.statements import Database, equal, one_of
from django_stream.protocol.activity_ids import from_sort_key
from django_stream.server.activity_rows import read_key
from django_stream.server.models import ReactionCount


def of(application_id: int, keys: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Mapping[str, int]]:
    """{sort key of an activity: {kind: how many}}; activities without reactions may be missing."""
    if not keys:
        return {}
    ids = {from_sort_key(key): key for key in keys}
    found = Database.to_read(ReactionCount).select(
        ReactionCount,
        ["activity", "kind", "count"],
        equal("application_id", application_id),
        one_of("activity", [activity.hex for activity in ids], uuids=True),
    )
    counts: dict[uuid.UUID, dict[str, int]] = {}
    for activity, kind, count in found:
        counts.setdefault(ids[read_key(activity)], {})[kind] = count
    return counts
