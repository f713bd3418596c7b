"""Timelines in the database of the record: set-based statements, never a loop over followers."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django_stream.database.conditions import Condition, equal, in_list, in_query, one_of
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.dialect import Fragment, placeholders
from django_stream.database.statements import Database
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import (
    ActivityGroup,
    ActivityGroupEntry,
    Exclusion,
    FanoutJob,
    Follow,
    FormerGroupEntry,
    GroupChange,
    MarkJob,
    Placement,
    TimelineEntry,
)
from django_stream.server.timelines import (
    activity_groups,
    copies,
    flat_page,
    group_changes,
    group_marks,
    group_page,
    group_past,
    hybrid_page,
    pulled,
    unfollows,
)
from django_stream.server.timelines.base import ActivityGroupPage, Marked, Timelines, Window
from django_stream.server.timelines.copies import insert_mostly_new
from django_stream.server.timelines.snapshot import snapshot
from django_stream.server.timelines.tables import (
    ADMITS,
    EXCLUDED,
    EXCLUSION,
    FOLLOW,
    FOLLOWED_PLACEMENTS,
    INSERT,
    INSERT_FOLLOWED,
    OWN,
    PLACEMENT,
    TIMELINE,
)

_OWN = f"{INSERT} SELECT p.feed_id, p.key, {OWN} FROM {PLACEMENT} p WHERE "
_FOLLOWED = f"{INSERT_FOLLOWED} WHERE "
_FORWARDED = f"SELECT f.source_id AS feed, p.key AS key FROM {FOLLOWED_PLACEMENTS} WHERE {ADMITS} AND "
_HIDE = f"{INSERT} SELECT e.feed_id, e.key, {EXCLUDED} FROM {EXCLUSION} e WHERE "
_MAX_ID = 2**63 - 1
_KEEP = " ON CONFLICT DO NOTHING"


class DatabaseTimelines(Timelines):
    """The store of a site that has one database, or one per router."""

    grouped_alone = False
    """Whether flat feeds are kept elsewhere, and only feeds that show groups have entries here."""

    def page(self, application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
        if self._pulls():
            return hybrid_page.page(application_id, feed_id, window)
        return flat_page.page(application_id, feed_id, window)

    def origins(self, feed: int, key: uuid.UUID) -> list[int]:
        database = _database()
        found = database.select(TimelineEntry, ["via"], equal("feed", feed), equal("key", key))
        by_row = {via for (via,) in found}
        return sorted(by_row.union(pulled.ways(database, feed, key)) if self._pulls() else by_row)

    def keep_back(self, changed: Collection[tuple[int, uuid.UUID]]) -> set[int]:
        return pulled.placed(changed) if self._pulls() else set()

    def group_page(
        self, application_id: int, feed_id: FeedID, window: Window, per_group: int, *, counted: bool
    ) -> ActivityGroupPage:
        feed, primary = group_page.number_of(application_id, feed_id), _database()
        # Inside a transaction that does more, a reader might wait for who waits for it.
        wait = not primary.connection.in_atomic_block
        changed = activity_groups.bring_up_to_date(feed, wait=wait)
        # A replica has not heard yet of what was put into groups just now.
        source = primary if changed else Database.to_read(TimelineEntry)
        page, strays = group_page.page(source, application_id, feed_id, window, per_group, counted=counted)
        if strays:
            activity_groups.look_again(feed, strays, wait=wait)
            page, _ = group_page.page(primary, application_id, feed_id, window, per_group, counted=counted)
        return page

    def mark(self, feed: int, *, seen: Marked = (), read: Marked = (), unread: Marked = ()) -> bool:
        activity_groups.bring_up_to_date(Fragment("%s", [feed]), wait=True)
        return group_marks.mark(feed, seen=seen, read=read, unread=unread)

    def placed(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        if not feeds or not keys:
            return
        database = _database()
        _agree_with_exclusions(database, feeds, keys, self._kept("e.feed_id"))
        chosen = database.where(one_of("p.feed_id", feeds), one_of("p.key", keys, uuids=True))
        kept = self._kept("p.feed_id")
        ways = Fragment(f"{_OWN}{chosen.text}{kept.text}", [*chosen.params, *kept.params])
        changed = database.query(TimelineEntry, ["feed", "key"], *_entries(feeds, keys))
        if not own_only:
            forwarded, more = _forwarded(database, chosen), [self._kept("f.source_id"), self._pushed()]
            followed = _joined("SELECT f.source_id, p.key, p.feed_id ", forwarded, *more)
            ways = _joined("", ways, Fragment(" UNION ALL "), followed)
            # Doubles are kept out by the insert: to sort them out before costs as much as all of it.
            which = Fragment(" UNION ALL SELECT f.source_id AS feed, p.key AS key ")
            changed = _joined("", changed, which, forwarded)
        database.execute(f"{ways.text}{_KEEP}", ways.params)
        group_changes.note(database, changed)

    def withdrawn(
        self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False
    ) -> None:
        if not feeds or not keys:
            return
        database = _database()
        # Noted while they are there: what of it stays is looked at in vain.
        group_changes.note(database, database.query(TimelineEntry, ["feed", "key"], *_entries(feeds, keys)))
        _agree_with_exclusions(database, feeds, keys, self._kept("e.feed_id"))
        _delete_own(database, feeds, keys)
        pulled.withdrawn(database, feeds, keys)
        if not own_only:
            for feed in _followed_among(database, feeds):
                _delete_followed(database, feed, keys, self._pushed())

    def edited(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        if not feeds or not keys:
            return
        database = _database()
        changed = database.query(TimelineEntry, ["feed", "key"], *_entries(feeds, keys))
        group_changes.note(database, changed)
        if not own_only:
            for feed in _followed_among(database, feeds):
                group_changes.note(database, _brought(database, feed, keys))

    def fan_out_part(
        self, feed: int, keys: Collection[uuid.UUID], after: int, up_to: int, change: FanoutJob.Change
    ) -> None:
        database = _database()
        if change == FanoutJob.Change.WITHDRAWN:
            _delete_followed(database, feed, keys, self._pushed(), after, up_to)
        if change == FanoutJob.Change.EDITED:
            group_changes.note(database, _brought(database, feed, keys, after, up_to))
        else:
            _bring(database, feed, keys, [after, up_to], self._kept("f.source_id"), self._pushed())

    def followed(self, follows: Sequence[int]) -> None:
        copies.copy(_database(), follows, self._kept("f.source_id"))

    def unfollowed(self, pairs: Collection[tuple[int, int]]) -> None:
        unfollows.take_back(_database(), pairs)

    def settle(self, feed: int) -> None:
        activity_groups.settled(_database(), feed)

    def rebuild(self, feed: int) -> None:
        database = _database()
        pulled.rebuilt(database, feed)
        database.delete(TimelineEntry, equal("feed", feed))
        database.execute(f"{_OWN}p.feed_id = %s", [feed])
        brought = self._pushed()
        database.execute(
            f"{_FOLLOWED}{ADMITS} AND f.source_id = %s{brought.text}{_KEEP}", [feed, *brought.params]
        )
        database.execute(f"{_HIDE}e.feed_id = %s", [feed])
        activity_groups.rebuilt(database, feed)

    def snapshot(self, feed: int) -> str:
        return snapshot(feed)

    def forget(self, feed: int) -> None:
        database = _database()
        group_marks.take_turn(database, feed)
        groups = database.query(ActivityGroup, ["id"], equal("feed", feed))
        database.delete(FormerGroupEntry, Fragment(f"group_id IN ({groups.text})", groups.params))
        for model in (TimelineEntry, ActivityGroupEntry, GroupChange, ActivityGroup, MarkJob):
            database.delete(model, equal("feed", feed))
        pulled.forget(database, feed)

    @retry_on_deadlock
    def prune(self) -> None:
        # Each is a transaction of its own, which goes through rows of many feeds in no order of theirs.
        pulled.prune(_database())
        group_past.prune(_database())
        group_changes.prune(_database())

    def _kept(self, column: str) -> Fragment:
        """Which feeds have entries here, by a column with their numbers; after an AND."""
        return group_changes.of_grouped(column) if self.grouped_alone else Fragment("")

    def _pulls(self) -> bool:
        """Whether flat feeds find some of what they show on the feeds that they follow."""
        return pulled.is_in_use() and not self.grouped_alone

    def _pushed(self) -> Fragment:
        """Which placements `p` are brought by follows `f`; after an AND."""
        return pulled.pushed() if self._pulls() else Fragment("")


def _database() -> Database:
    return Database.to_write(TimelineEntry)


def _entries(feeds: Collection[int], keys: Collection[uuid.UUID]) -> tuple[Condition, Condition]:
    return one_of("feed", feeds), one_of("key", keys, uuids=True)


def _agree_with_exclusions(
    database: Database, feeds: Collection[int], keys: Collection[uuid.UUID], kept: Fragment
) -> None:
    """Hide what is excluded now, show what no longer is."""
    if not _any_hidden(database, feeds, keys):
        return
    hidden = database.where(one_of("feed", feeds), one_of("key", keys, uuids=True))
    database.execute(
        f"DELETE FROM {TIMELINE} WHERE {hidden.text} AND via = {EXCLUDED} AND NOT EXISTS "
        f"(SELECT 1 FROM {EXCLUSION} e WHERE e.feed_id = {TIMELINE}.feed AND e.key = {TIMELINE}.key)",
        hidden.params,
    )
    excluded = database.where(one_of("e.feed_id", feeds), one_of("e.key", keys, uuids=True))
    database.execute(f"{_HIDE}{excluded.text}{kept.text}{_KEEP}", [*excluded.params, *kept.params])


def _any_hidden(database: Database, feeds: Collection[int], keys: Collection[uuid.UUID]) -> bool:
    """Whether any of the activities is or ought to be hidden: hardly ever, so this is asked first."""
    shown = database.query(TimelineEntry, ["feed"], *_entries(feeds, keys), equal("via", EXCLUDED))
    due = database.query(Exclusion, ["feed_id"], one_of("feed_id", feeds), one_of("key", keys, uuids=True))
    return bool(database.rows(f"{shown.text} UNION ALL {due.text} LIMIT 1", [*shown.params, *due.params]))


def _forwarded(database: Database, chosen: Fragment) -> Fragment:
    """From where followers get chosen placements: whoever follows is looked up for each of these."""
    follows = database.dialect.join_each(FOLLOW, "f", "f.target_id = p.feed_id")
    return Fragment(f"FROM {PLACEMENT} p {follows} WHERE {ADMITS} AND {chosen.text}", chosen.params)


def _joined(text: str, *parts: Fragment) -> Fragment:
    return Fragment(
        text + "".join(part.text for part in parts), [one for part in parts for one in part.params]
    )


def _bring(
    database: Database,
    feed: int,
    keys: Collection[uuid.UUID],
    follows: Sequence[int],
    kept: Fragment,
    brought: Fragment,
) -> None:
    """Insert those of the keys that are still placed on the feed for a range of its follows."""
    placed = database.select(Placement, ["key"], equal("feed_id", feed), in_list("key", keys))
    if not placed:
        return
    present = [key for (key,) in placed]
    listed = f"p.feed_id = %s AND p.key IN {placeholders(present)}"
    chosen = Fragment(
        f"{listed} AND f.target_id = %s AND f.id > %s AND f.id <= %s", [feed, *present, feed, *follows]
    )
    insert_mostly_new(
        database,
        f"{_FOLLOWED}{ADMITS} AND {chosen.text}{kept.text}{brought.text}",
        [*chosen.params, *kept.params, *brought.params],
    )
    group_changes.note(database, Fragment(f"{_FORWARDED}{chosen.text}", chosen.params))


def _delete_own(database: Database, feeds: Collection[int], keys: Collection[uuid.UUID]) -> None:
    chosen = database.where(one_of("feed", feeds), one_of("key", keys, uuids=True))
    database.execute(
        f"DELETE FROM {TIMELINE} WHERE {chosen.text} AND via = {OWN} AND NOT EXISTS "
        f"(SELECT 1 FROM {PLACEMENT} p WHERE p.feed_id = {TIMELINE}.feed AND p.key = {TIMELINE}.key)",
        chosen.params,
    )


def _followed_among(database: Database, feeds: Collection[int]) -> list[int]:
    """Those of the feeds that are or were followed."""
    query = database.query(Follow, ["target_id"], one_of("target_id", feeds))
    return sorted(feed for (feed,) in database.rows(f"{query.text} GROUP BY target_id", query.params))


def _brought(
    database: Database, feed: int, keys: Collection[uuid.UUID], after: int = 0, up_to: int = _MAX_ID
) -> Fragment:
    """Feeds and keys of the entries that some follows of a feed brought."""
    chosen = _brought_by(database, feed, keys, after, up_to)
    return database.query(TimelineEntry, ["feed", "key"], *chosen)


def _brought_by(
    database: Database, feed: int, keys: Collection[uuid.UUID], after: int, up_to: int
) -> tuple[Condition, ...]:
    follows = Fragment("target_id = %s AND id > %s AND id <= %s", [feed, after, up_to])
    sources = in_query("feed", database.query(Follow, ["source_id"], follows))
    return one_of("key", keys, uuids=True), equal("via", feed), sources


def _delete_followed(
    database: Database,
    feed: int,
    keys: Collection[uuid.UUID],
    brought: Fragment,
    after: int = 0,
    up_to: int = _MAX_ID,
) -> None:
    """Take activities from those to whom following brought them and no follow admits them any more.

    Closed follows count too: they brought what they admitted.
    """
    group_changes.note(database, _brought(database, feed, keys, after, up_to))
    chosen = database.where(*_brought_by(database, feed, keys, after, up_to))
    database.execute(
        f"DELETE FROM {TIMELINE} WHERE {chosen.text} "
        f"AND NOT EXISTS (SELECT 1 FROM {PLACEMENT} p JOIN {FOLLOW} f ON f.target_id = p.feed_id "
        f"WHERE p.feed_id = %s AND p.key = {TIMELINE}.key AND f.source_id = {TIMELINE}.feed AND {ADMITS}"
        f"{brought.text})",
        [*chosen.params, feed, *brought.params],
    )
