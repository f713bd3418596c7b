# ruff: noqa: S608 (only names of our own tables and columns, and whole numbers, are put into the text)
"""The newest reactions of many activities or parents, all sets in one statement.

A window function would number every reaction of a popular activity. Here a small table drives
the statement, a row `d` for each set, and of each set no more of an index is read than is
answered. Limits are part of the text: a plan made without knowing them reads everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.server import sql
from django_stream.server.models import Reaction, ReactionCount
from django_stream.server.reads.columns import array, one_of
from django_stream.server.reads.reaction_rows import (
    CHILD,
    CHILD_COUNT,
    ReactionRow,
    columns_of,
    read,
    uuid_text,
)

REACTION = Reaction._meta.db_table
ACTIVITY_COUNT = ReactionCount._meta.db_table

Counts = dict[str, dict[str, int]]
"""{activity id: {kind: how many}}"""
Lists = dict[str, dict[str, list[ReactionRow]]]
"""{activity id: {kind: reactions}}"""

_OF_ACTIVITY = (
    "x.application_id = d.application_id AND x.activity = d.activity AND x.kind = d.kind "
    "AND x.parent_id IS NULL AND x.deleted_at IS NULL"
)
_OF_PARENT = "x.parent_id = d.id AND x.deleted_at IS NULL"
_OF_PARENT_AND_KIND = "x.parent_id = d.parent_id AND x.kind = d.kind AND x.deleted_at IS NULL"


class Part(NamedTuple):
    """Which reactions of a set to take: up to `limit`, of one user or of all."""

    limit: int
    user_id: str | None = None
    oldest: bool = False


def of_activities(
    application_id: int, activities: Collection[str], parts: Mapping[str, Part], kinds: Sequence[str] = ()
) -> tuple[Counts, dict[str, Lists]]:
    """Of each kind of top-level reactions how many there are and, by the names of the parts, some."""
    connection = sql.reader(Reaction)
    where = f"d.application_id = %s AND {one_of(connection, 'd.activity', uuids=True)}"
    params = [application_id, array(connection, [activity.replace("-", "") for activity in activities])]
    if kinds:
        where += f" AND {one_of(connection, 'd.kind')}"
        params.append(array(connection, kinds))
    columns = columns_of(connection, kind="d.kind", activity="d.activity")
    texts, values = [], []
    for number, part in enumerate(parts.values() or [Part(0)]):
        chosen, user = _chosen(connection, _OF_ACTIVITY, part)
        # The first part tells the counts too, so also of kinds of which it has no reaction.
        drivers = f"{ACTIVITY_COUNT} d {'JOIN' if number else 'LEFT JOIN'} {chosen}"
        texts.append(f"SELECT {number}, {columns}, d.count FROM {drivers} WHERE {where}")
        values += [*user, *params]
    return _filed(sql.rows(connection, " UNION ALL ".join(texts), values), parts)


def _filed(rows: Iterable[tuple[Any, ...]], parts: Mapping[str, Part]) -> tuple[Counts, dict[str, Lists]]:
    """Rows are a part's number, the columns of a reaction, and how many there are of its kind."""
    sets: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        sets.setdefault(row[:3], []).append(row)
    names, counts = list(parts), Counts()
    lists: dict[str, Lists] = {name: {} for name in parts}
    for (number, activity, kind), found in sets.items():
        activity_id, count = uuid_text(activity), found[0][-1]
        counts.setdefault(activity_id, {})[kind] = count
        reactions = [ReactionRow(activity_id, *row[2:-1]) for row in found if row[3] is not None]
        if reactions:
            name = names[number]
            reactions.sort(reverse=not parts[name].oldest)
            lists[name].setdefault(activity_id, {})[kind] = reactions
    return counts, lists


def of_parents(parents: Collection[int], limit: int) -> list[ReactionRow]:
    """Up to `limit` children of each reaction, over all kinds."""
    connection = sql.reader(Reaction)
    where = one_of(connection, "d.id")
    return _children(connection, REACTION, _OF_PARENT, Part(limit), where, [array(connection, parents)])


def own_of_parents(
    parents: Collection[int], limit: int, *, kinds: Sequence[str], user_id: str | None
) -> list[ReactionRow]:
    """Up to `limit` children of each kind of each reaction, by one user or by all."""
    connection = sql.reader(Reaction)
    where, params = one_of(connection, "d.parent_id"), [array(connection, parents)]
    if kinds:
        where += f" AND {one_of(connection, 'd.kind')}"
        params.append(array(connection, kinds))
    part = Part(limit, user_id)
    return _children(connection, CHILD_COUNT, _OF_PARENT_AND_KIND, part, where, params)


def _children(
    connection: BaseDatabaseWrapper, drivers: str, match: str, part: Part, where: str, params: list[Any]
) -> list[ReactionRow]:
    chosen, user = _chosen(connection, match, part)
    text = f"SELECT {columns_of(connection)}, {CHILD} FROM {drivers} d JOIN {chosen} WHERE {where}"
    children = read(sql.rows(connection, text, [*user, *params]))
    return sorted(children, key=attrgetter("pk"), reverse=True)


def _chosen(connection: BaseDatabaseWrapper, match: str, part: Part) -> tuple[str, list[str]]:
    """The reactions `r` that a part takes of each set, to be joined."""
    user = "" if part.user_id is None else " AND x.user_id = %s"
    text = (
        f"FROM {REACTION} x WHERE {match}{user} "
        f"ORDER BY x.id {'ASC' if part.oldest else 'DESC'} LIMIT {part.limit:d}"
    )
    if connection.vendor == "sqlite":  # which has no LATERAL
        text = f"{REACTION} r ON r.id IN (SELECT x.id {text})"
    else:
        text = f"LATERAL (SELECT x.* {text}) r ON true"
    return text, [] if part.user_id is None else [part.user_id]
