"""Groups of aggregated and notification feeds, brought up to date when somebody looks.

Writers note what changed (see `group_changes`), and whoever reads the feed or marks its groups takes the
notes and puts right what they name. Of two readers who take the same note, the second waits for the first
and finds it done. What comes into a group is added to its counts; a group that loses something, or holds
something that was edited, is counted anew.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, transaction

from django_stream.database.conditions import equal
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database
from django_stream.database.transactions import is_lost
from django_stream.protocol.times import now_in_microseconds
from django_stream.server.aggregation.names import name_older
from django_stream.server.feed_groups import groups_of
from django_stream.server.models import ActivityGroup, ActivityGroupEntry, Feed, GroupChange, TimelineEntry
from django_stream.server.timelines import group_changes, group_marks, group_past
from django_stream.server.timelines import group_statements as statements
from django_stream.server.timelines.group_statements import Entering, Found, Grown

logger = logging.getLogger("django_stream.server")

Keys = Sequence[uuid.UUID]

# So many times one reader takes what waits, while there is time: whatever others have put on a feed that
# nobody looked at for long, its page comes soon, and the next reader takes more.
_ROUNDS = 10
_SECONDS = 0.3

# So long after a note was written its transaction may commit, and a reader have read without it.
_UNDER_WAY = 60_000_000


def bring_up_to_date(feed: Fragment, *, wait: bool = True) -> bool:
    """Put what waits of a feed (a query of its number) into its groups; whether anything waited.

    Where the database refuses that just now, or others do the same and the reader may not `wait`, the groups
    are seen as they are. A transaction that this has ended, as a deadlock does on MariaDB, begins anew.
    """
    primary, source, changed = Database.to_write(GroupChange), Database.to_read(GroupChange), False
    begun = time.monotonic()
    try:
        for _ in range(_ROUNDS):
            waiting = group_changes.waiting(source, feed)
            if waiting is None:
                break
            source, changed = primary, True
            fold(source, *waiting, wait=wait)
            if len(waiting[1]) < group_changes.AT_ONCE or time.monotonic() - begun >= _SECONDS:
                break
    except DatabaseError as error:  # locked, a deadlock, a transaction that only reads
        if is_lost(primary.alias):
            raise
        logger.warning("the groups of a feed are read as they are, with changes waiting: %s", error)
    return changed


@retry_on_deadlock
def fold(database: Database, feed: int, keys: Keys, *, wait: bool = True) -> None:
    """Take the changes of these activities on a feed, and put its groups right."""
    with transaction.atomic(using=database.alias):
        if came := group_changes.take(database, feed, keys, wait):
            _look_at(database, feed, came)


def look_again(feed: Fragment, keys: Keys, *, wait: bool) -> None:
    """Put right what groups of a feed hold and the feed has not, although no change waits.

    Servers of a version without notes leave that behind, where they run beside this one while a site is
    brought up to date.
    """
    database = Database.to_write(GroupChange)
    try:
        with transaction.atomic(using=database.alias):
            group_changes.note_again(database, feed, keys)
    except DatabaseError as error:  # as above
        if is_lost(database.alias):
            raise
        logger.warning("a feed shows what it has not in its groups: %s", error)
    else:
        bring_up_to_date(feed, wait=wait)


def settled(database: Database, feed: int) -> None:
    """Put all that waits of a feed into its groups."""
    number = Fragment("%s", [feed])
    while waiting := group_changes.waiting(database, number):
        fold(database, *waiting)


def rebuilt(database: Database, feed: int) -> None:
    """Put right whatever is in the groups of a feed and does not belong there, and put in what is missing."""
    for model in (TimelineEntry, ActivityGroupEntry):
        group_changes.note(database, database.query(model, ["feed", "key"], equal("feed", feed)))
    settled(database, feed)
    with transaction.atomic(using=database.alias):
        group_marks.take_turn(database, feed)
        groups = [group for (group,) in database.select(ActivityGroup, ["id"], equal("feed", feed))]
        for [application_id] in database.select(Feed, ["application_id"], equal("id", feed)):
            statements.recount(database, application_id, dict.fromkeys(groups, 0), exactly=True)


def _look_at(database: Database, feed: int, came: Mapping[uuid.UUID, int]) -> None:
    rows = database.select(Feed, ["application_id", "slug"], equal("id", feed))
    for application_id, slug in rows:
        group = groups_of(application_id).get(slug)
        if group is not None and group.grouped:
            _Fold(database, application_id, feed, slug, group.kind == "notification", came).run()


@dataclass(frozen=True, slots=True)
class _Fold:
    """Changes of one feed on their way into its groups."""

    database: Database
    application_id: int
    feed: int
    slug: str
    marked: bool
    came: Mapping[uuid.UUID, int]

    def run(self) -> None:
        found = self._found()
        leaving = [one for one in found if one.group is not None and not one.stays]
        staying = {one.group for one in found if one.stays and one.group is not None}
        entering = [one for one in found if one.belongs and not one.stays]
        lost = Counter(one.group for one in leaving if one.group is not None)
        if leaving:
            statements.take_out(self.database, [(self.feed, one.key) for one in leaving])
        if entering:
            self._enter(entering)
        if lost or staying:
            statements.recount(self.database, self.application_id, dict.fromkeys(staying, 0) | lost)

    def _found(self) -> list[Found]:
        found = statements.state(self.database, self.application_id, self.slug, self.feed, self.came)
        if unnamed := [one.key for one in found if one.actor is not None and one.name is None]:
            name_older(self.application_id, self.slug, unnamed)
            found = statements.state(self.database, self.application_id, self.slug, self.feed, self.came)
        return found

    def _enter(self, entering: Sequence[Found]) -> None:
        """Put visible activities, which are in no group of the feed, into their groups and count them."""
        by_name: dict[str, list[Found]] = defaultdict(list)
        for one in entering:
            by_name[one.name or ""].append(one)
        groups = statements.opened(
            self.database, self.feed, {name: self._times(some) for name, some in by_name.items()}
        )
        now = now_in_microseconds()
        rows = [
            Entering(self.feed, one.key, groups[name][0], self._entered_at(one, now))
            for name, some in by_name.items()
            for one in some
        ]
        statements.enter(self.database, rows)
        into = {groups[name][0]: some for name, some in by_name.items()}
        known = self._actors_before(into, dict(groups.values()))
        statements.grow(self.database, [self._grown(group, some, known) for group, some in into.items()], now)

    def _times(self, some: Sequence[Found]) -> tuple[str, str]:
        """When the first and the last of them came."""
        came = [self.came[one.key] for one in some]
        return statements.moment(self.database, min(came)), statements.moment(self.database, max(came))

    def _entered_at(self, one: Found, now: int) -> int:
        """When readers could see it first: now, unless more waits than one of them takes."""
        came = self.came[one.key]
        return now if now - came < _UNDER_WAY else came

    def _actors_before(
        self, into: Mapping[int, Sequence[Found]], counts: Mapping[int, int]
    ) -> set[tuple[int, str]]:
        """Which actors the groups had already; the numbers of activities that these had."""
        coming = {(group, one.actor or "") for group, some in into.items() if counts[group] for one in some}
        most = statements.read_whole(len({group for group, _ in coming}))
        large = {pair for pair in coming if counts[pair[0]] > most}
        keys = [one.key for some in into.values() for one in some]
        known = set()
        if small := coming - large:
            groups, actors = ({*column} for column in zip(*small, strict=True))
            known = statements.actors_before(self.database, self.application_id, groups, actors, keys)
        if large:
            known |= statements.actors_lately_before(
                self.database, self.application_id, self.feed, large, keys
            )
        return known

    def _grown(self, group: int, some: Sequence[Found], known: set[tuple[int, str]]) -> Grown:
        keys = [one.key for one in some]
        actors = {one.actor or "" for one in some}
        return Grown(
            group,
            len(some),
            sum((group, actor) not in known for actor in actors),
            max(keys),
            any(one.key < group_past.backdated_before(self.came[one.key]) for one in some),
            self._times(some)[1],
            # What is erased makes no group new to its reader.
            self.marked and not all(one.is_erased for one in some),
        )
