"""The newest reactions of many activities or parents, all sets in one statement.

A window function would number every reaction of a popular activity. Here a small table drives
the statement, a row `d` for each set, and of each set no more of an index is read than is
answered. Limits are part of the text: a plan made without knowing them reads everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from django_stream.database.conditions import Condition, equal, one_of, time_text
from django_stream.database.dialect import Dialect, Fragment
from django_stream.database.statements import Database
from django_stream.server.models import ChildCount, Reaction, ReactionCount
from django_stream.server.reads.answer_size import TooMuchAtOnce
from django_stream.server.reads.reaction_rows import (
    PARENT_COLUMNS,
    ReactionRow,
    columns_of,
    read,
    wire_uuid,
)

REACTION = Reaction._meta.db_table
ACTIVITY_COUNT = ReactionCount._meta.db_table
CHILD_COUNT = ChildCount._meta.db_table

Counts = dict[str, dict[str, int]]
"""{activity id: {kind: how many}}"""
Lists = dict[str, dict[str, list[ReactionRow]]]
"""{activity id: {kind: reactions}}"""

_OF_ACTIVITY = (
    "x.application_id = d.application_id AND x.activity = d.activity AND x.kind = d.kind "
    "AND x.parent_id IS NULL AND x.deleted_at IS NULL"
)
# As the conditions of the model: so indexes of lists serve a statement.
_LISTED = "(x.deleted_with IS NULL OR x.deleted_with IS NOT NULL)"
_LISTED_BY_KIND = "(x.target_feeds_extra_data IS NULL OR x.target_feeds_extra_data IS NOT NULL)"
_OF_USER = f"x.application_id = r.application_id AND x.user_id = r.user_id AND {_LISTED}"
_OF_PARENT = "x.parent_id = d.id AND x.deleted_at IS NULL"
_OF_PARENT_AND_KIND = "x.parent_id = d.parent_id AND x.kind = d.kind AND x.deleted_at IS NULL"

_place = attrgetter("pk")
_set = itemgetter(-2, -1, 0, 1)

ListName = TypeVar("ListName", bound=str)
Comparison: TypeAlias = Literal["<", "<=", ">", ">="]

ROWS_MAX = 5_000
"""So many reactions are loaded by one statement. What is more is TooMuchAtOnce, or stays away."""


class Choice(NamedTuple):
    """Which reactions of a set to take: up to `limit`, newest or oldest first, of one user or of all."""

    limit: int
    user_id: str | None = None
    oldest: bool = False
    bounds: Sequence[tuple[Comparison, int]] = ()
    """How their rows' numbers compare to others."""


def of_activities(
    application_id: int,
    activities: Collection[str],
    choices: Mapping[ListName, Choice],
    kinds: Sequence[str] = (),
    *,
    whole: bool = False,
) -> tuple[Counts, dict[ListName, Lists]]:
    """Of each kind of top-level reactions how many there are and, by the names of the choices, some.

    `activities` are ids; without `kinds`, all kinds are read. `whole` refuses to leave any of it out.
    """
    database = Database.to_read(Reaction)
    conditions = [equal("d.application_id", application_id), one_of("d.activity", activities, uuids=True)]
    if kinds:
        conditions.append(one_of("d.kind", kinds))
    where = database.where(*conditions)
    columns = database.columns(columns_of(kind="d.kind", activity="d.activity"))
    texts, values = [], []
    for number, choice in enumerate(choices.values() or [Choice(0)]):
        chosen = _chosen(database.dialect, _OF_ACTIVITY, choice)
        # The first one brings the counts too, so also of kinds of which it has no reaction.
        drivers = f"{ACTIVITY_COUNT} d {'JOIN' if number else 'LEFT JOIN'} {chosen.text}"
        texts.append(f"SELECT {columns}, d.count, {number} FROM {drivers} WHERE {where.text}")
        values += [*chosen.params, *where.params]
    return _by_activity(_some(database, " UNION ALL ".join(texts), values, whole), choices)


def _some(database: Database, text: str, values: Sequence[Any], whole: bool) -> list[tuple[Any, ...]]:
    """The rows of a statement, as many as are loaded together."""
    rows = database.rows(f"{text} LIMIT {ROWS_MAX + 1}", values)
    if whole and len(rows) > ROWS_MAX:
        raise TooMuchAtOnce
    return rows[:ROWS_MAX]


def _by_activity(
    rows: Iterable[tuple[Any, ...]], choices: Mapping[ListName, Choice]
) -> tuple[Counts, dict[ListName, Lists]]:
    """Rows are the columns of a reaction, how many there are of its kind, and a choice's number."""
    names, counts = list(choices), Counts()
    lists: dict[ListName, Lists] = {name: {} for name in choices}
    for (count, number, activity, kind), some in groupby(rows, key=_set):
        activity_id = wire_uuid(activity)
        counts.setdefault(activity_id, {})[kind] = count
        found = [ReactionRow(*row[:-2]) for row in some if row[2] is not None]
        if found:
            # Databases tell a set in one run, which none of them promises.
            lists[names[number]].setdefault(activity_id, {}).setdefault(kind, []).extend(found)
    for name, of_list in lists.items():
        for kinds in of_list.values():
            for found in kinds.values():
                found.sort(key=_place, reverse=not choices[name].oldest)
    return counts, lists


def first_moments(reactions: Collection[int]) -> list[tuple[str, str]]:
    """The users of these reactions, given by numbers of rows, each with the time of their first one."""
    database = Database.to_read(Reaction)
    chosen, time = database.where(one_of("r.id", reactions)), database.columns([time_text("x.created_at")])
    first = f"{_OF_USER} ORDER BY x.id LIMIT 1"
    text = f"SELECT r.user_id, (SELECT {time} FROM {REACTION} x WHERE {first}) FROM {REACTION} r"
    return database.rows(f"{text} WHERE {chosen.text}", chosen.params)


def of_all_kinds_to_activity(application_id: int, activity: UUID, choice: Choice) -> list[int]:
    """The chosen of an activity's reactions over all kinds, in their order: numbers of rows.

    The index of one user's reactions has them by kind. So each kind tells as many as are wanted of all.
    """
    mine = equal("d.application_id", application_id), equal("d.activity", activity)
    return _of_all_kinds(ACTIVITY_COUNT, _OF_ACTIVITY, choice, *mine)


def of_all_kinds_to_parent(parent: int, choice: Choice) -> list[int]:
    """Likewise, of a reaction's children."""
    return _of_all_kinds(CHILD_COUNT, _OF_PARENT_AND_KIND, choice, equal("d.parent_id", parent))


def _of_all_kinds(drivers: str, match: str, choice: Choice, *conditions: Condition) -> list[int]:
    database = Database.to_read(Reaction)
    chosen, where = _chosen(database.dialect, match, choice), database.where(*conditions)
    text = f"SELECT r.id FROM {drivers} d JOIN {chosen.text} WHERE {where.text}"
    numbers = [number for (number,) in database.rows(text, [*chosen.params, *where.params])]
    return sorted(numbers, reverse=not choice.oldest)[: choice.limit]


def of_parents(parents: Collection[int], limit: int, *, whole: bool = False) -> list[ReactionRow]:
    """Up to `limit` children of each reaction, over all kinds. `parents` are numbers of rows."""
    return _children(whole, REACTION, _OF_PARENT, Choice(limit), one_of("d.id", parents))


def own_of_parents(
    parents: Collection[int],
    limit: int,
    *,
    kinds: Sequence[str],
    user_id: str | None,
    whole: bool = False,
) -> list[ReactionRow]:
    """Up to `limit` children of each kind of each reaction, by one user or by all."""
    conditions = [one_of("d.parent_id", parents)]
    if kinds:
        conditions.append(one_of("d.kind", kinds))
    return _children(whole, CHILD_COUNT, _OF_PARENT_AND_KIND, Choice(limit, user_id), *conditions)


def _children(
    whole: bool, drivers: str, match: str, choice: Choice, *conditions: Condition
) -> list[ReactionRow]:
    database = Database.to_read(Reaction)
    chosen, where = _chosen(database.dialect, match, choice), database.where(*conditions)
    columns = database.columns([*columns_of(), *PARENT_COLUMNS])
    text = f"SELECT {columns} FROM {drivers} d JOIN {chosen.text} WHERE {where.text}"
    children = read(_some(database, text, [*chosen.params, *where.params], whole))
    return sorted(children, key=_place, reverse=True)


def _chosen(dialect: Dialect, match: str, choice: Choice) -> Fragment:
    """The reactions `r` that are chosen of each set, to be joined."""
    listed = _LISTED if match is _OF_PARENT else _LISTED_BY_KIND
    whose = listed if choice.user_id is None else "x.user_id = %s"
    params: list[Any] = [] if choice.user_id is None else [choice.user_id]
    where = " AND ".join([match, whose, *(f"x.id {comparison} %s" for comparison, _ in choice.bounds)])
    params += [number for _, number in choice.bounds]
    order = "ASC" if choice.oldest else "DESC"
    return dialect.join_some(REACTION, "r", Fragment(where, params), order, choice.limit)
