"""The groups of notification feeds are marked seen and read."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from django_stream.database.statements import (
    Condition,
    Database,
    at_most,
    either,
    equal,
    every,
    in_list,
    in_turn,
    is_false,
)
from django_stream.server.models import ActivityGroup
from django_stream.server.timelines.base import Mark, Marked

LOCK_ORDER = ("name", "feed")
"""In this order groups are locked."""


# Databases bound how many conditions one statement has.
_AT_ONCE = 100


def turn(feed: int, *, wait: bool = True) -> Condition:
    """Holds for one transaction at a time: whoever changes the groups of a feed begins by it.

    A transaction may take several steps, such as a reader who puts into groups what waits and marks some of
    them then. In whatever order each step locks groups, nobody waits for two.
    """
    return in_turn("groups of a feed", feed, wait=wait)


def mark(feed: int, *, seen: Marked, read: Marked) -> bool:
    """Mark all groups of a feed, given by the number of its row, or those that the marks name.

    Returns whether any mark changed.
    """
    if not (seen or read):
        return False
    database = Database.to_write(ActivityGroup)
    changed = 0
    with transaction.atomic(using=database.alias):
        # All that either mark may concern at once: in two steps, two markers could wait for each other.
        unmarked = either(is_false("is_seen"), is_false("is_read"))
        database.lock(ActivityGroup, LOCK_ORDER, turn(feed), equal("feed", feed), unmarked)
        for column, marked in (("is_seen", seen), ("is_read", read)):
            for chosen in _chosen(marked):
                where = [equal("feed", feed), is_false(column), *chosen]
                changed += database.update(ActivityGroup, {column: True}, *where)
    return changed > 0


def unmark(feed: int, unread: Marked) -> bool:
    """Let all groups of a feed be unread again, or those that the marks name; whether any changed."""
    if not unread:
        return False
    database = Database.to_write(ActivityGroup)
    changed = 0
    with transaction.atomic(using=database.alias):
        chosen = [[equal("feed", feed), *some] for some in _chosen(unread)]
        # All in one step, as other markers do: in several, two could wait for each other.
        wanted = chosen[0] if len(chosen) == 1 else [equal("feed", feed), equal("is_read", True)]
        database.lock(ActivityGroup, LOCK_ORDER, turn(feed), *wanted)
        for where in chosen:
            changed += database.update(ActivityGroup, {"is_read": False}, *where, equal("is_read", True))
    return changed > 0


def _chosen(marked: Marked) -> Iterator[list[Condition]]:
    """Conditions of a few statements that together find the groups."""
    if marked == "all":
        yield []
        return
    marks = list(marked)
    for start in range(0, len(marks), _AT_ONCE):
        some = marks[start : start + _AT_ONCE]
        named = [one for one in some if one.name]
        yield [either(in_list("newest", [one.newest for one in some]), *map(_not_newer, named))]


def _not_newer(one: Mark) -> Condition:
    # Its newest may have been taken back since the reader saw it.
    return every(equal("name", one.name), at_most("newest", one.newest))
