# ruff: noqa: S608 (only the name of our own table is put into the text)
"""How many reactions activities have: read from the counters that every write keeps."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from django_stream.protocol.activity_ids import from_sort_key
from django_stream.server import sql
from django_stream.server.models import ReactionCount
from django_stream.server.reads.columns import array, one_of


def of(application_id: int, keys: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Mapping[str, int]]:
    """{activity's key: {kind: how many}}; activities without reactions may be missing."""
    if not keys:
        return {}
    connection = sql.reader(ReactionCount)
    text = (
        f"SELECT activity, kind, count FROM {ReactionCount._meta.db_table} "
        f"WHERE application_id = %s AND {one_of(connection, 'activity', uuids=True)}"
    )
    ids = {from_sort_key(key): key for key in keys}
    params = [application_id, array(connection, [activity.hex for activity in ids])]
    counts: dict[uuid.UUID, dict[str, int]] = {}
    for activity, kind, count in sql.rows(connection, text, params):
        counts.setdefault(ids[sql.read_key(activity)], {})[kind] = count
    return counts
