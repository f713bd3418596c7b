"""A follow brings the newest activities of the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from django_stream.database.conditions import one_of
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.server.timelines import group_changes
from django_stream.server.timelines.tables import FOLLOWED_PLACEMENTS, INSERT_FOLLOWED

# A follow that begins admits the past by its floor alone: what comes later waits for the lock of the target.
_PAST = "p.seq IS NOT NULL AND p.key >= f.floor_key"
_COPIED = f"SELECT f.source_id AS feed, p.key AS key FROM {FOLLOWED_PLACEMENTS} WHERE {_PAST}"
# From so many follows on it pays to try without ON CONFLICT.
_MANY = 100


def copy(database: Database, follows: Sequence[int], kept: Fragment) -> None:
    """These follows were just opened, under the locks of their targets: copy what they admit.

    `kept`, after an AND, says which feeds have entries.
    """
    if not follows:
        return
    chosen = database.where(one_of("f.id", follows))
    insert = f"{INSERT_FOLLOWED} WHERE {_PAST} AND {chosen.text}{kept.text}"
    params = [*chosen.params, *kept.params]
    if len(follows) < _MANY:
        database.execute(f"{insert} ON CONFLICT DO NOTHING", params)
    else:
        insert_mostly_new(database, insert, params)
    copied = Fragment(f"{_COPIED} AND {chosen.text}", chosen.params)
    group_changes.note(database, copied)


def insert_mostly_new(database: Database, text: str, params: Sequence[Any]) -> None:
    """Insert rows of which few or none are there already.

    Without ON CONFLICT PostgreSQL inserts a quarter more rows a second, so that is tried first.
    """
    try:
        with transaction.atomic(using=database.alias):
            database.execute(text, params)
    except IntegrityError:
        database.execute(f"{text} ON CONFLICT DO NOTHING", params)
