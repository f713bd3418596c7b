# ruff: noqa: S608 (only names of our own tables are put into the text)
"""Counts of reactions change with the write that makes them change, in one statement each."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable

from django_stream.server import sql
from django_stream.server.models import ChildCount, Reaction, ReactionCount

_OF_ACTIVITY = ReactionCount._meta.db_table
_OF_PARENT = ChildCount._meta.db_table

# The database adds: of many at once, each finds what the one before it left.
_STEP_ACTIVITY = (
    f"INSERT INTO {_OF_ACTIVITY} (application_id, activity, kind, count) VALUES (%s, %s, %s, %s) "
    f"ON CONFLICT (application_id, activity, kind) "
    f"DO UPDATE SET count = {_OF_ACTIVITY}.count + excluded.count"
)
_STEP_PARENT = (
    f"INSERT INTO {_OF_PARENT} (parent_id, kind, count) VALUES (%s, %s, %s) "
    f"ON CONFLICT (parent_id, kind) DO UPDATE SET count = {_OF_PARENT}.count + excluded.count"
)


def change(reactions: Iterable[Reaction], by: int) -> None:
    """Count these reactions in (1) or out (-1).

    The last thing a transaction does: everybody who reacts to the same activity waits for it.
    """
    connection = sql.writer(Reaction)
    of_activities: Counter[tuple[int, uuid.UUID, str]] = Counter()
    of_parents: Counter[tuple[int, str]] = Counter()
    for row in reactions:
        if row.parent_id is None:
            of_activities[row.application_id, row.activity, row.kind] += by
        else:
            of_parents[row.parent_id, row.kind] += by
    # In one order for everybody, so that two transactions never wait for each other.
    for (parent, kind), step in sorted(of_parents.items()):
        sql.execute(connection, _STEP_PARENT, [parent, kind, step])
    for (application_id, activity, kind), step in sorted(of_activities.items()):
        key = sql.key_param(connection, activity)
        sql.execute(connection, _STEP_ACTIVITY, [application_id, key, kind, step])
