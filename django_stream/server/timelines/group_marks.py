"""The groups of notification feeds are marked seen and read, and unread again.

Whoever changes the groups of a feed has its turn, so no row is locked before it is changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.utils import timezone

from django_stream.database.commits import call_after_commit
from django_stream.database.conditions import (
    Condition,
    at_least,
    at_most,
    below,
    either,
    equal,
    every,
    in_list,
    in_turn,
    is_false,
    negated,
    one_of,
)
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.server import background
from django_stream.server.activity_rows import read_key
from django_stream.server.models import ActivityGroup, MarkJob
from django_stream.server.timelines.base import Mark, Marked
from django_stream.server.timelines.tables import ACTIVITY_GROUP, ENTRY

TASK = "django_stream.server.mark_groups"
AT_ONCE = 5_000
"""So many groups of a feed are marked in the request, the newest, and in each step after it."""
KEPT = 1_000
"""A job that has to spare more groups than this is helped along by whoever names another one."""

_MARKS = {"feed": "bigint", "name": "text", "newest": "uuid"}
_SETS = {
    MarkJob.Change.SEEN: ("is_seen", True),
    MarkJob.Change.READ: ("is_read", True),
    MarkJob.Change.UNREAD: ("is_read", False),
}
_OPPOSITE = {MarkJob.Change.READ: MarkJob.Change.UNREAD, MarkJob.Change.UNREAD: MarkJob.Change.READ}


def turn(feed: int, *, wait: bool = True) -> Condition:
    """Holds for one transaction at a time: whoever changes the groups of a feed begins by it.

    A transaction may take several steps, such as a reader who puts into groups what waits and marks some of
    them then. In whatever order each step changes groups, nobody waits for two.
    """
    return in_turn("groups of a feed", feed, wait=wait)


def take_turn(database: Database, feed: int) -> None:
    """Wait for the turn, and have it until the transaction ends."""
    wanted = database.where(turn(feed))
    if wanted.params:
        database.rows(f"SELECT {wanted.text}", wanted.params)


def mark(feed: int, *, seen: Marked = (), read: Marked = (), unread: Marked = ()) -> bool:
    """Mark all groups of a feed, given by the number of its row, or those that the marks name.

    Of very many the newest are marked at once and the others after the commit; what came to a group since
    stays unmarked. Returns whether any mark changed.
    """
    if unread == "all":
        read = ()  # who asks for both has them unread in the end: no two jobs of which either may be the last
    wanted = {MarkJob.Change.SEEN: seen, MarkJob.Change.READ: read, MarkJob.Change.UNREAD: unread}
    if not any(wanted.values()):
        return False
    database = Database.to_write(ActivityGroup)
    changed = 0
    with transaction.atomic(using=database.alias):
        take_turn(database, feed)
        everything = [change for change, marked in wanted.items() if marked == "all"]
        floor = _begin_with_all(database, feed, everything) if everything else None
        for change, marked in wanted.items():
            if marked == "all":
                changed += _all(database, feed, change, floor)
            elif marked:
                changed += _named(database, feed, change, list(marked))
    return changed > 0


def _begin_with_all(database: Database, feed: int, changes: Sequence[MarkJob.Change]) -> uuid.UUID | None:
    """Where the newest groups end, if there are more than a request may mark."""
    # What earlier jobs have left is left to these changes, or has been overtaken by them.
    done_with = {*changes, *(_OPPOSITE[one] for one in changes if one in _OPPOSITE)}
    database.delete(MarkJob, equal("feed", feed), in_list("change", sorted(done_with)))
    return _floor(database, feed)


def _all(database: Database, feed: int, change: MarkJob.Change, floor: uuid.UUID | None) -> int:
    others = _others(feed, change)
    if floor is None or not _may_be_many(database, feed, change):
        return _set(database, change, *others)
    now = timezone.now()
    job = MarkJob.objects.using(database.alias).create(
        feed=feed, change=change, before=floor, until=now, touched_at=now
    )
    background.on_commit(TASK, run_step, job.pk)
    # That there are others is a change, even if none of them is among the newest.
    return _set(database, change, at_least("newest", floor), *others) + 1


def _named(database: Database, feed: int, change: MarkJob.Change, marks: Sequence[Mark]) -> int:
    groups = _groups_of(database, feed, marks)
    _keep_from_job(database, feed, change, groups)
    return _set(database, change, one_of("id", groups), *_not_yet(change)) if groups else 0


def _groups_of(database: Database, feed: int, marks: Sequence[Mark]) -> list[int]:
    """The groups that the marks name, found one by one: a feed may have very many that wait."""
    given = database.dialect.given(_MARKS, [[feed, one.name, one.newest] for one in marks])
    of_feed = f"SELECT g.id FROM {given.text} JOIN {ACTIVITY_GROUP} g ON g.feed = given.feed"
    found = database.rows(
        f"{of_feed} AND g.newest = given.newest UNION "
        # Its newest may have been taken back since the reader saw it.
        f"{of_feed} AND g.name = given.name AND g.newest <= given.newest AND given.name <> ''",
        [*given.params, *given.params],
    )
    return [group for (group,) in found]


def _keep_from_job(database: Database, feed: int, change: MarkJob.Change, groups: Sequence[int]) -> None:
    """These groups stay as they are marked now, though a job would mark them the other way.

    Those that the job has done, too: what is taken back from a group moves it down to where the job is.
    """
    if (opposite := _OPPOSITE.get(change)) is None:
        return
    job = MarkJob.objects.using(database.alias).filter(feed=feed, change=opposite).first()
    if job is not None:
        job.kept = sorted({*job.kept, *groups})
        job.save(using=database.alias, update_fields=["kept"])
        if len(job.kept) > KEPT:
            # Its worker may be down. The job ends after so many requests, and its list with it.
            call_after_commit(database.alias, run_step, job.pk)


def _others(feed: int, change: MarkJob.Change) -> list[Condition]:
    """The groups of a feed that are not marked like that."""
    _, value = _SETS[change]
    # The index of groups that wait for their reader has this condition.
    waits = [either(is_false("is_seen"), is_false("is_read"))] if value else []
    return [equal("feed", feed), *waits, *_not_yet(change)]


def _not_yet(change: MarkJob.Change) -> list[Condition]:
    column, value = _SETS[change]
    return [is_false(column) if value else equal(column, True)]


def _set(database: Database, change: MarkJob.Change, *where: Condition) -> int:
    column, value = _SETS[change]
    return database.update(ActivityGroup, {column: value}, *where)


def _may_be_many(database: Database, feed: int, change: MarkJob.Change) -> bool:
    """Whether more groups than a request may mark lack a mark; no index tells how many are read."""
    if change == MarkJob.Change.UNREAD:
        return True
    along = every(*_others(feed, change))
    return database.counted(ActivityGroup, along, "is_seen, is_read", AT_ONCE + 1) > AT_ONCE


def _floor(database: Database, feed: int, *conditions: Condition) -> uuid.UUID | None:
    """Where the newest few groups end: the place of the last of them, if there are so many."""
    where = database.where(equal("feed", feed), *conditions)
    placed = f"{ACTIVITY_GROUP} WHERE {where.text} AND newest IS NOT NULL"
    rows = database.dialect.in_order(placed, "newest", "newest DESC")
    text = f"SELECT newest FROM {rows} ORDER BY newest DESC LIMIT 1 OFFSET {AT_ONCE - 1:d}"
    found = database.rows(text, where.params)
    return read_key(found[0][0]) if found else None


def resume(idle_seconds: float) -> int:
    """Run the jobs that nothing has touched for `idle_seconds`; returns how many there were."""
    return background.resume(TASK, idle_seconds)


@retry_on_deadlock
def run_step(number: int) -> bool:
    """Mark the next groups of a job; False when they were the last ones."""
    database = Database.to_write(ActivityGroup)
    jobs = MarkJob.objects.using(database.alias).filter(pk=number)
    with transaction.atomic(using=database.alias):
        for feed in jobs.values_list("feed", flat=True):
            take_turn(database, feed)
        # Read in its turn, which whoever changes the job has.
        job = jobs.first()
        if job is None:
            return False
        floor = _floor(database, job.feed, below("newest", job.before))
        _set(database, MarkJob.Change(job.change), *_of_step(job, floor))
        if floor is None:
            jobs.delete()
            return False
        jobs.update(before=floor, touched_at=timezone.now())
        return True


def _of_step(job: MarkJob, floor: uuid.UUID | None) -> Iterator[Condition]:
    yield below("newest", job.before)
    if floor is not None:
        yield at_least("newest", floor)
    yield at_most("updated_at", job.until)
    yield _without_what_came_late(round(job.until.timestamp() * 1_000_000))
    if job.kept:
        yield negated(one_of("id", job.kept))
    yield from _others(job.feed, MarkJob.Change(job.change))


def _without_what_came_late(until: int) -> Fragment:
    """Groups that got nothing since, in microseconds since 1970.

    What began to come before, in a transaction that ended after it, does not change `updated_at`. It has an
    old place, so it is noted as a change of the past; only of groups with such a note the entries are read.
    """
    late = f"SELECT 1 FROM {ENTRY} e WHERE e.group_id = {ACTIVITY_GROUP}.id AND e.entered_at > %s"
    return Fragment(f"NOT (past_changed_at > %s AND EXISTS ({late}))", [until, until])


background.register(TASK, MarkJob, run_step)
