"""A follow brings the newest activities of the past, and takes them along when it ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from django_stream.database.dialect import Fragment
from django_stream.database.statements import Condition, Database, in_query, one_of
from django_stream.server.activity_rows import read_key
from django_stream.server.models import FanoutJob, Placement, TimelineEntry
from django_stream.server.timelines import group_changes
from django_stream.server.timelines.tables import FOLLOWED_PLACEMENTS, INSERT_FOLLOWED, PLACEMENT, TIMELINE

# A follow that begins admits the past by its floor alone: what comes later waits for the lock of the target.
_PAST = "p.seq IS NOT NULL AND p.key >= f.floor_key"
_COPIED = f"SELECT f.source_id AS feed, p.key AS key FROM {FOLLOWED_PLACEMENTS} WHERE {_PAST}"
# From so many follows on it pays to try without ON CONFLICT.
_MANY = 100
# So many activities of followed feeds are looked for one by one.
_FEW = 2_000


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


def take_back(database: Database, pairs: Collection[tuple[int, int]]) -> None:
    """All follows of these (source, target) pairs were deleted: what they brought goes."""
    for sources, targets in _rectangles(pairs):
        brought = one_of("feed", sources), one_of("via", targets)
        if _hold_few(database, targets):
            held = database.query(Placement, ["key"], one_of("feed_id", targets))
            _take_few_back(database, *brought, in_query("key", held))
        else:
            group_changes.note(database, database.query(TimelineEntry, ["feed", "key"], *brought))
            database.delete(TimelineEntry, *brought)


def _hold_few(database: Database, targets: Collection[int]) -> bool:
    """Whether what these targets brought is best found by what they hold.

    The entries of a feed are not ordered by what brought them, so it is where targets hold little. While a
    large withdrawal is under way, they hold less than they brought.
    """
    given = database.dialect.given({"feed": "bigint"}, [[target] for target in targets])
    held = database.dialect.join_each(PLACEMENT, "p", "p.feed_id = given.feed", order="p.key")
    some = f"SELECT count(*) FROM (SELECT 1 FROM {given.text} {held} LIMIT {_FEW + 1:d}) held"
    [[number]] = database.rows(some, given.params)
    return number <= _FEW and not database.exists(FanoutJob, one_of("feed", targets))


def _take_few_back(database: Database, *brought: Condition) -> None:
    chosen = database.where(*brought)
    gone = database.rows(f"DELETE FROM {TIMELINE} WHERE {chosen.text} RETURNING feed, key", chosen.params)
    if gone:
        rows = [(feed, read_key(key)) for feed, key in gone]
        given = database.dialect.given({"feed": "bigint", "key": "uuid"}, rows)
        group_changes.note(
            database, Fragment(f"SELECT given.feed, given.key FROM {given.text}", given.params)
        )


def insert_mostly_new(database: Database, text: str, params: Sequence[Any]) -> None:
    """Insert rows of which few or none are there already.

    Without ON CONFLICT PostgreSQL inserts a quarter more rows a second, so that is tried first.
    """
    try:
        with transaction.atomic(using=database.alias):
            database.execute(text, params)
    except IntegrityError:
        database.execute(f"{text} ON CONFLICT DO NOTHING", params)


def _rectangles(pairs: Collection[tuple[int, int]]) -> Iterator[tuple[Collection[int], Collection[int]]]:
    """The pairs as (sources, targets), each standing for all pairs of its sides, in few pieces."""
    by_source: dict[int, list[int]] = defaultdict(list)
    by_target: dict[int, list[int]] = defaultdict(list)
    for source, target in pairs:
        by_source[source].append(target)
        by_target[target].append(source)
    if len(by_source) <= len(by_target):
        yield from (([source], targets) for source, targets in by_source.items())
    else:
        yield from ((sources, [target]) for target, sources in by_target.items())
