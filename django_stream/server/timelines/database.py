# ruff: noqa: S608 (only table names of our own models are put into the text)
"""Timelines in the database of the record: set-based statements, never a loop over followers."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.protocol.feed_ids import FeedID
from django_stream.server import sql
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import FanoutJob
from django_stream.server.sql import (
    ADMITS,
    EXCLUDED,
    EXCLUSION,
    FOLLOW,
    OWN_WAY,
    PLACEMENT,
    TIMELINE,
)
from django_stream.server.timelines import activity_groups, flat_page, group_marks, group_page
from django_stream.server.timelines.base import ActivityGroupPage, Entry, Marked, Timelines, Window
from django_stream.server.timelines.selection import Listed, Selection, Shown, window_conditions

_INSERT = f"INSERT INTO {TIMELINE} (feed, key, via) "
_OWN = f"{_INSERT} SELECT p.feed_id, p.key, {OWN_WAY} FROM {PLACEMENT} p WHERE "
_VIA = (
    f"{_INSERT} SELECT f.source_id, p.key, p.feed_id "
    f"FROM {PLACEMENT} p JOIN {FOLLOW} f ON f.target_id = p.feed_id WHERE {ADMITS} AND "
)
_HIDE = f"{_INSERT} SELECT e.feed_id, e.key, {EXCLUDED} FROM {EXCLUSION} e WHERE "
_MAX_ID = 2**63 - 1
_KEEP = " ON CONFLICT DO NOTHING"
_UNPLACED = f"NOT EXISTS (SELECT 1 FROM {PLACEMENT} p WHERE p.feed_id = %s AND p.key = %s)"


class DatabaseTimelines(Timelines):
    """The store of a site that has one database, or one per router."""

    def page(self, feed: int, window: Window) -> list[Entry]:
        connection = sql.reader()
        bounds, params = window_conditions(connection, "key", window)
        found = sql.rows(
            connection,
            f"SELECT key, min(via) FROM {TIMELINE} WHERE feed = %s{bounds} "
            f"GROUP BY key HAVING min(via) > {EXCLUDED} ORDER BY key DESC LIMIT %s OFFSET %s",
            [feed, *params, window.limit, window.offset],
        )
        return [Entry(sql.read_key(key), via or None) for key, via in found]

    def flat_page(self, application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow] | None:
        return flat_page.page(application_id, feed_id, window)

    def ways(self, feed: int, key: uuid.UUID) -> list[int]:
        connection = sql.writer()
        found = sql.rows(
            connection,
            f"SELECT via FROM {TIMELINE} WHERE feed = %s AND key = %s ORDER BY via",
            [feed, sql.key_param(connection, key)],
        )
        return [via for (via,) in found]

    def group_page(
        self, application_id: int, feed_id: FeedID, window: Window, per_group: int, *, counted: bool
    ) -> ActivityGroupPage:
        return group_page.page(application_id, feed_id, window, per_group, counted=counted)

    def inner(self, application_id: int, feed_id: FeedID, keys: Collection[uuid.UUID]) -> list[uuid.UUID]:
        return group_page.inner(application_id, feed_id, keys)

    def mark(self, feed: int, *, seen: Marked = (), read: Marked = ()) -> bool:
        return group_marks.mark(feed, seen=seen, read=read)

    def placed(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        if not feeds or not keys:
            return
        connection = sql.writer()
        chosen, params = self._slice(connection, feeds, keys)
        self._hide(connection, feeds, keys)
        sql.execute(connection, f"{_OWN}{chosen}{_KEEP}", params)
        if not own_only:
            sql.execute(connection, f"{_VIA}{chosen}{_KEEP}", params)
        ways = [OWN_WAY] if own_only else [OWN_WAY, *feeds]
        activity_groups.joined(
            Shown(_reached(feeds, own_only), self._listed(connection, keys), Listed.of(ways))
        )

    def withdrawn(
        self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False
    ) -> None:
        if not feeds or not keys:
            return
        connection = sql.writer()
        self._hide(connection, feeds, keys)
        for feed in feeds:
            for key in sql.key_params(connection, keys):
                _delete_own(connection, feed, key)
                if not own_only:
                    _delete_via(connection, feed, key)
        activity_groups.reviewed(_reached(feeds, own_only), self._listed(connection, keys))

    def edited(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        if feeds and keys:
            activity_groups.reviewed(_reached(feeds, own_only), self._listed(sql.writer(), keys))

    def fan_out_part(
        self, feed: int, keys: Collection[uuid.UUID], after: int, up_to: int, change: FanoutJob.Change
    ) -> None:
        connection = sql.writer()
        stored = sql.key_params(connection, keys)
        reached = Selection.by_follows(feed, after, up_to)
        if change == FanoutJob.Change.WITHDRAWN:
            for key in stored:
                _delete_via(connection, feed, key, after, up_to)
        if change != FanoutJob.Change.PLACED:
            activity_groups.reviewed(reached, Listed.of(stored))
        if change != FanoutJob.Change.EDITED:
            self._bring(connection, feed, stored, reached, [after, up_to])

    def _bring(
        self,
        connection: BaseDatabaseWrapper,
        feed: int,
        keys: Sequence[Any],
        reached: Selection,
        follows: Sequence[int],
    ) -> None:
        found = sql.rows(
            connection,
            f"SELECT key FROM {PLACEMENT} WHERE feed_id = %s AND key IN {sql.marks(keys)}",
            [feed, *keys],
        )
        present = self._listed(connection, [sql.read_key(key) for (key,) in found])
        if present.params:
            _insert_mostly_new(
                connection,
                f"{_VIA} p.feed_id = %s AND p.key IN ({present.text}) AND f.target_id = %s "
                "AND f.id > %s AND f.id <= %s",
                [feed, *present.params, feed, *follows],
            )
            activity_groups.joined(Shown(reached, present, Listed.of([feed])))

    def followed(self, follows: Sequence[int]) -> None:
        if not follows:
            return
        connection = sql.writer()
        chosen = f"f.id IN {sql.marks(follows)}"
        sql.execute(connection, f"{_VIA}{chosen}{_KEEP}", follows)
        [[target]] = sql.rows(connection, f"SELECT target_id FROM {FOLLOW} WHERE id = %s", follows[:1])
        copied = f"SELECT p.key FROM {PLACEMENT} p JOIN {FOLLOW} f ON f.target_id = p.feed_id WHERE {ADMITS}"
        followed = f"SELECT f.target_id FROM {FOLLOW} f WHERE {chosen}"
        activity_groups.joined(
            Shown(
                Selection.of_follows(follows, target),
                Listed(f"{copied} AND {chosen}", follows),
                Listed(followed, follows),
            )
        )

    def unfollowed(self, pairs: Collection[tuple[int, int]]) -> None:
        connection = sql.writer()
        for source, target in pairs:
            gone = sql.execute(
                connection, f"DELETE FROM {TIMELINE} WHERE feed = %s AND via = %s", [source, target]
            )
            if gone:
                activity_groups.resync(source)

    def rebuild(self, feed: int) -> None:
        connection = sql.writer()
        sql.execute(connection, f"DELETE FROM {TIMELINE} WHERE feed = %s", [feed])
        sql.execute(connection, f"{_OWN} p.feed_id = %s", [feed])
        sql.execute(connection, f"{_VIA} f.source_id = %s{_KEEP}", [feed])
        sql.execute(connection, f"{_HIDE} e.feed_id = %s", [feed])
        keys = Listed(f"SELECT key FROM {TIMELINE} WHERE feed = %s", [feed])
        activity_groups.joined(Shown(Selection.of([feed]), keys))
        activity_groups.resync(feed)

    def _listed(self, connection: BaseDatabaseWrapper, keys: Collection[uuid.UUID]) -> Listed:
        return Listed.of(sql.key_params(connection, keys))

    def _slice(
        self, connection: BaseDatabaseWrapper, feeds: Collection[int], keys: Collection[uuid.UUID]
    ) -> tuple[str, list[Any]]:
        text = f"p.feed_id IN {sql.marks(feeds)} AND p.key IN {sql.marks(keys)}"
        return text, [*feeds, *sql.key_params(connection, keys)]

    def _hide(
        self, connection: BaseDatabaseWrapper, feeds: Collection[int], keys: Collection[uuid.UUID]
    ) -> None:
        """Agree with the exclusions: hide what is excluded now, show what no longer is."""
        stored = sql.key_params(connection, keys)
        sql.execute(
            connection,
            f"DELETE FROM {TIMELINE} WHERE feed IN {sql.marks(feeds)} AND key IN {sql.marks(stored)} "
            f"AND via = {EXCLUDED} AND NOT EXISTS "
            f"(SELECT 1 FROM {EXCLUSION} e WHERE e.feed_id = {TIMELINE}.feed AND e.key = {TIMELINE}.key)",
            [*feeds, *stored],
        )
        sql.execute(
            connection,
            f"{_HIDE} e.feed_id IN {sql.marks(feeds)} AND e.key IN {sql.marks(stored)}{_KEEP}",
            [*feeds, *stored],
        )


def _reached(feeds: Collection[int], own_only: bool) -> Selection:
    return Selection.of(feeds) if own_only else Selection.reached_from(feeds)


def _insert_mostly_new(connection: BaseDatabaseWrapper, text: str, params: Sequence[Any]) -> None:
    """Rows of a chunk are there already only if a follow copied them meanwhile.

    Without ON CONFLICT PostgreSQL inserts a quarter more rows a second, so that is tried first.
    """
    try:
        with transaction.atomic(using=connection.alias):
            sql.execute(connection, text, params)
    except IntegrityError:
        sql.execute(connection, text + _KEEP, params)


def _delete_own(connection: BaseDatabaseWrapper, feed: int, key: Any) -> None:
    sql.execute(
        connection,
        f"DELETE FROM {TIMELINE} WHERE feed = %s AND key = %s AND via = {OWN_WAY} AND {_UNPLACED}",
        [feed, key, feed, key],
    )


def _delete_via(
    connection: BaseDatabaseWrapper, feed: int, key: Any, after: int = 0, up_to: int = _MAX_ID
) -> None:
    """Take an activity from those to whom following brought it and no follow admits it any more.

    Closed follows count too: they brought what they admitted.
    """
    sql.execute(
        connection,
        f"DELETE FROM {TIMELINE} WHERE key = %s AND via = %s AND feed IN "
        f"(SELECT source_id FROM {FOLLOW} WHERE target_id = %s AND id > %s AND id <= %s) "
        f"AND NOT EXISTS (SELECT 1 FROM {PLACEMENT} p JOIN {FOLLOW} f ON f.target_id = p.feed_id "
        f"WHERE p.feed_id = %s AND p.key = %s AND f.source_id = {TIMELINE}.feed AND {ADMITS})",
        [key, feed, feed, after, up_to, feed, key],
    )
