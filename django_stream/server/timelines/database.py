"""Timelines in the database of the record: set-based statements, never a loop over followers."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from django_stream.database.dialect import Fragment, placeholders
from django_stream.database.statements import Database, equal, in_list
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow, read_key
from django_stream.server.models import FanoutJob, Follow, Placement, TimelineEntry
from django_stream.server.timelines import activity_groups, flat_page, group_marks, group_page
from django_stream.server.timelines.base import ActivityGroupPage, Marked, Timelines, Window
from django_stream.server.timelines.selection import FeedSelection, VisibleEntries, listed
from django_stream.server.timelines.tables import (
    ADMITS,
    EXCLUDED,
    EXCLUSION,
    FOLLOW,
    FOLLOWED_PLACEMENTS,
    OWN,
    PLACEMENT,
    TIMELINE,
)

_INSERT = f"INSERT INTO {TIMELINE} (feed, key, via) "
_OWN = f"{_INSERT} SELECT p.feed_id, p.key, {OWN} FROM {PLACEMENT} p WHERE "
_FOLLOWED = f"{_INSERT} SELECT f.source_id, p.key, p.feed_id FROM {FOLLOWED_PLACEMENTS} WHERE {ADMITS} AND "
_HIDE = f"{_INSERT} SELECT e.feed_id, e.key, {EXCLUDED} FROM {EXCLUSION} e WHERE "
_MAX_ID = 2**63 - 1
_KEEP = " ON CONFLICT DO NOTHING"
_UNPLACED = f"NOT EXISTS (SELECT 1 FROM {PLACEMENT} p WHERE p.feed_id = %s AND p.key = %s)"


class DatabaseTimelines(Timelines):
    """The store of a site that has one database, or one per router."""

    def page(self, application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
        return flat_page.page(application_id, feed_id, window)

    def origins(self, feed: int, key: uuid.UUID) -> list[int]:
        database = _database()
        found = database.select(TimelineEntry, ["via"], equal("feed", feed), equal("key", key))
        return sorted(via for (via,) in found)

    def group_page(
        self, application_id: int, feed_id: FeedID, window: Window, per_group: int, *, counted: bool
    ) -> ActivityGroupPage:
        return group_page.page(application_id, feed_id, window, per_group, counted=counted)

    def older_in_groups(
        self, application_id: int, feed_id: FeedID, keys: Collection[uuid.UUID]
    ) -> list[uuid.UUID]:
        return group_page.older_in_groups(application_id, feed_id, keys)

    def mark(self, feed: int, *, seen: Marked = (), read: Marked = ()) -> bool:
        return group_marks.mark(feed, seen=seen, read=read)

    def placed(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        if not feeds or not keys:
            return
        database = _database()
        stored = database.dialect.params(keys)
        _agree_with_exclusions(database, feeds, stored)
        chosen = f"p.feed_id IN {placeholders(feeds)} AND p.key IN {placeholders(stored)}{_KEEP}"
        database.execute(_OWN + chosen, [*feeds, *stored])
        if not own_only:
            database.execute(_FOLLOWED + chosen, [*feeds, *stored])
        reached = _reached(database, feeds, own_only)
        origins = listed([OWN] if own_only else [OWN, *feeds])
        activity_groups.joined(VisibleEntries(reached, listed(stored), origins))

    def withdrawn(
        self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False
    ) -> None:
        if not feeds or not keys:
            return
        database = _database()
        stored = database.dialect.params(keys)
        _agree_with_exclusions(database, feeds, stored)
        for feed in feeds:
            for key in stored:
                _delete_own(database, feed, key)
                if not own_only:
                    _delete_followed(database, feed, key)
        activity_groups.reviewed(_reached(database, feeds, own_only), listed(stored))

    def edited(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        if feeds and keys:
            database = _database()
            stored = database.dialect.params(keys)
            activity_groups.reviewed(_reached(database, feeds, own_only), listed(stored))

    def fan_out_part(
        self, feed: int, keys: Collection[uuid.UUID], after: int, up_to: int, change: FanoutJob.Change
    ) -> None:
        database = _database()
        reached = FeedSelection.followers(database, feed, after, up_to)
        if change == FanoutJob.Change.WITHDRAWN:
            for key in database.dialect.params(keys):
                _delete_followed(database, feed, key, after, up_to)
        if change != FanoutJob.Change.PLACED:
            activity_groups.reviewed(reached, listed(database.dialect.params(keys)))
        if change != FanoutJob.Change.EDITED:
            _bring(database, feed, keys, reached, [after, up_to])

    def followed(self, follows: Sequence[int]) -> None:
        if not follows:
            return
        database = _database()
        chosen = f"f.id IN {placeholders(follows)}"
        database.execute(f"{_FOLLOWED}{chosen}{_KEEP}", follows)
        [[target]] = database.select(Follow, ["target_id"], equal("id", follows[0]))
        copied = f"SELECT p.key FROM {FOLLOWED_PLACEMENTS} WHERE {ADMITS} AND {chosen}"
        activity_groups.joined(
            VisibleEntries(
                FeedSelection.by_follows(database, follows, target),
                Fragment(copied, follows),
                Fragment(f"SELECT f.target_id FROM {FOLLOW} f WHERE {chosen}", follows),
            )
        )

    def unfollowed(self, pairs: Collection[tuple[int, int]]) -> None:
        database = _database()
        for source, target in pairs:
            if database.delete(TimelineEntry, equal("feed", source), equal("via", target)):
                activity_groups.resync(database, source)

    def rebuild(self, feed: int) -> None:
        database = _database()
        database.delete(TimelineEntry, equal("feed", feed))
        database.execute(f"{_OWN} p.feed_id = %s", [feed])
        database.execute(f"{_FOLLOWED} f.source_id = %s{_KEEP}", [feed])
        database.execute(f"{_HIDE} e.feed_id = %s", [feed])
        keys = database.query(TimelineEntry, ["key"], equal("feed", feed))
        activity_groups.joined(VisibleEntries(FeedSelection.of(database, [feed]), keys))
        activity_groups.resync(database, feed)


def _database() -> Database:
    return Database.to_write(TimelineEntry)


def _reached(database: Database, feeds: Collection[int], own_only: bool) -> FeedSelection:
    return FeedSelection.of(database, feeds) if own_only else FeedSelection.with_followers(database, feeds)


def _agree_with_exclusions(database: Database, feeds: Collection[int], keys: Sequence[Any]) -> None:
    """Hide what is excluded now, show what no longer is."""
    feed_list, key_list = placeholders(feeds), placeholders(keys)
    database.execute(
        f"DELETE FROM {TIMELINE} WHERE feed IN {feed_list} AND key IN {key_list} "
        f"AND via = {EXCLUDED} AND NOT EXISTS "
        f"(SELECT 1 FROM {EXCLUSION} e WHERE e.feed_id = {TIMELINE}.feed AND e.key = {TIMELINE}.key)",
        [*feeds, *keys],
    )
    excluded = f"e.feed_id IN {feed_list} AND e.key IN {key_list}"
    database.execute(f"{_HIDE}{excluded}{_KEEP}", [*feeds, *keys])


def _bring(
    database: Database,
    feed: int,
    keys: Collection[uuid.UUID],
    reached: FeedSelection,
    follows: Sequence[int],
) -> None:
    """Insert those of the keys that are still placed on the feed for a range of its follows."""
    placed = database.select(Placement, ["key"], equal("feed_id", feed), in_list("key", keys))
    if not placed:
        return
    present = listed(database.dialect.params(read_key(key) for (key,) in placed))
    _insert_mostly_new(
        database,
        f"{_FOLLOWED} p.feed_id = %s AND p.key IN ({present.text}) AND f.target_id = %s "
        "AND f.id > %s AND f.id <= %s",
        [feed, *present.params, feed, *follows],
    )
    activity_groups.joined(VisibleEntries(reached, present, listed([feed])))


def _insert_mostly_new(database: Database, text: str, params: Sequence[Any]) -> None:
    """Rows of a chunk are there already only if a follow copied them meanwhile.

    Without ON CONFLICT PostgreSQL inserts a quarter more rows a second, so that is tried first.
    """
    try:
        with transaction.atomic(using=database.alias):
            database.execute(text, params)
    except IntegrityError:
        database.execute(text + _KEEP, params)


def _delete_own(database: Database, feed: int, key: Any) -> None:
    database.execute(
        f"DELETE FROM {TIMELINE} WHERE feed = %s AND key = %s AND via = {OWN} AND {_UNPLACED}",
        [feed, key, feed, key],
    )


def _delete_followed(database: Database, feed: int, key: Any, after: int = 0, up_to: int = _MAX_ID) -> None:
    """Take an activity from those to whom following brought it and no follow admits it any more.

    Closed follows count too: they brought what they admitted.
    """
    database.execute(
        f"DELETE FROM {TIMELINE} WHERE key = %s AND via = %s AND feed IN "
        f"(SELECT source_id FROM {FOLLOW} WHERE target_id = %s AND id > %s AND id <= %s) "
        f"AND NOT EXISTS (SELECT 1 FROM {PLACEMENT} p JOIN {FOLLOW} f ON f.target_id = p.feed_id "
        f"WHERE p.feed_id = %s AND p.key = %s AND f.source_id = {TIMELINE}.feed AND {ADMITS})",
        [key, feed, feed, after, up_to, feed, key],
    )
