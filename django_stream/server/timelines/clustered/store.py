"""Timelines on a Redis or Valkey Cluster, beside a database that has the record and the grouped feeds."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Collection, Iterable, Sequence

from django_stream.database.commits import call_after_commit
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.conf import server_settings
from django_stream.server.feed_groups import groups_of
from django_stream.server.feed_store import database
from django_stream.server.models import FanoutJob, Feed, Follow, TimelineChange
from django_stream.server.timelines.base import ActivityGroupPage, Marked, Timelines, Window
from django_stream.server.timelines.clustered import changes, record, scripts
from django_stream.server.timelines.clustered.changes import EVERYBODY, Change, key_of
from django_stream.server.timelines.clustered.cluster import Cluster, Unavailable
from django_stream.server.timelines.clustered.members import Entry, bounds, key_and_way, members_of
from django_stream.server.timelines.database import DatabaseTimelines

logger = logging.getLogger("django_stream.server")


class GroupedAlone(DatabaseTimelines):
    """What the database keeps: feeds that show groups, whose counts and marks belong to the record."""

    grouped_alone = True


class ClusteredTimelines(Timelines):
    """Flat timelines on a cluster, by its address.

    All that is there may be lost at any time: whatever may lack a change is not shown, but computed from the
    record. The newest `TIMELINES_LENGTH` entries are kept, and whoever reads on from there reads the record.
    """

    def __init__(self, url: str) -> None:
        self.cluster = Cluster(url)
        self._database = GroupedAlone()

    def page(self, application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
        group = groups_of(application_id).get(feed_id.slug)
        if group is not None and group.grouped:
            return self._database.page(application_id, feed_id, window)
        # Before the timeline is read: what is on its way by then may not be on it yet.
        state = record.state(application_id, feed_id)
        if state is None or window.limit == 0:
            return []
        # A timeline keeps the newest entries: the oldest are in the record.
        is_elsewhere = state.is_changing or window.oldest_first
        held = None if is_elsewhere else self._held(state.feed, window)
        found = record.entries(state.feed, window) if held is None else held
        return record.rows_of(application_id, found, oldest_first=window.oldest_first)

    def _held(self, feed: int, window: Window) -> Sequence[tuple[uuid.UUID | str, int]] | None:
        """A page of the timeline; None if it is not there, or does not reach so far."""
        token = uuid.uuid4().hex
        arguments = token, *bounds(window), window.offset, window.limit, _idle_seconds()
        try:
            status, found = self.cluster.run(scripts.PAGE, (key_of(feed), arguments))
        except Unavailable as error:
            logger.warning("a timeline does not answer, and its reader reads the record: %s", error)
            return None
        if status == b"page":
            return [key_and_way(member) for member in members_of(found)]
        if status == b"miss":
            # Not within a transaction, which may see what was true before the token was taken.
            call_after_commit(database(), self._fill, feed, token)
        return None

    def _fill(self, feed: int, token: str) -> None:
        drawn = changes.drawn()
        most = server_settings.TIMELINES_LENGTH
        found = record.entries(feed, Window(most))
        arguments = token, drawn, most, int(len(found) < most), _idle_seconds()
        try:
            members = [entry.packed for entry in found]
            self.cluster.run(scripts.FILL, (key_of(feed), [*arguments, *members]))
        except Unavailable as error:
            logger.warning("a timeline could not be stored: %s", error)

    def origins(self, feed: int, key: uuid.UUID) -> list[int]:
        return self._database.origins(feed, key) if _is_grouped(feed) else record.ways(feed, key)

    def group_page(
        self, application_id: int, feed_id: FeedID, window: Window, per_group: int, *, counted: bool
    ) -> ActivityGroupPage:
        return self._database.group_page(application_id, feed_id, window, per_group, counted=counted)

    def mark(self, feed: int, *, seen: Marked = (), read: Marked = (), unread: Marked = ()) -> bool:
        return self._database.mark(feed, seen=seen, read=read, unread=unread)

    def placed(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        self._database.placed(feeds, keys, own_only=own_only)
        self._note(Change.PLACED, feeds, keys, up_to=0 if own_only else EVERYBODY)

    def withdrawn(
        self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False
    ) -> None:
        self._database.withdrawn(feeds, keys, own_only=own_only)
        self._note(Change.WITHDRAWN, feeds, keys, up_to=0 if own_only else EVERYBODY)

    def edited(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        self._database.edited(feeds, keys, own_only=own_only)

    def fan_out_part(
        self, feed: int, keys: Collection[uuid.UUID], after: int, up_to: int, change: FanoutJob.Change
    ) -> None:
        self._database.fan_out_part(feed, keys, after, up_to, change)
        if change != FanoutJob.Change.EDITED:
            self._note(Change(change.value), [feed], keys, is_own=False, after=after, up_to=up_to)

    def followed(self, follows: Sequence[int]) -> None:
        self._database.followed(follows)
        opened = Follow.objects.using(database()).filter(pk__in=follows)
        self._drop(opened.values_list("source_id", flat=True).distinct())

    def unfollowed(self, pairs: Collection[tuple[int, int]]) -> None:
        self._database.unfollowed(pairs)
        self._drop({source for source, _ in pairs})

    def settle(self, feed: int) -> None:
        self._database.settle(feed)

    def rebuild(self, feed: int) -> None:
        if _is_grouped(feed):
            self._database.rebuild(feed)
        else:
            self._drop([feed])

    def forget(self, feed: int) -> None:
        self._database.forget(feed)
        self._drop([feed])

    def snapshot(self, feed: int) -> str:
        if _is_grouped(feed):
            return self._database.snapshot(feed)
        recorded = record.entries(feed, Window(server_settings.TIMELINES_LENGTH))
        held = None if record.is_changing(feed) else self.everything(feed)
        if held is not None:
            kept, is_whole = held
            if kept != (recorded if is_whole else recorded[: len(kept)]):
                recorded = kept
        return hashlib.sha256(b"".join(entry.packed for entry in recorded)).hexdigest()

    def everything(self, feed: int) -> tuple[list[Entry], bool] | None:
        """All entries of a timeline, and whether that is all there is; None if it is not there."""
        try:
            status, found = self.cluster.run(scripts.HELD, (key_of(feed), ()))
        except Unavailable:
            return None
        if status == b"miss":
            return None
        return [Entry.unpacked(member) for member in members_of(found)], status == b"whole"

    def prune(self) -> None:
        self._database.prune()
        changes.tell_all(self.cluster)

    def _note(
        self,
        change: Change,
        feeds: Collection[int],
        keys: Collection[uuid.UUID],
        *,
        up_to: int,
        after: int = 0,
        is_own: bool = True,
    ) -> None:
        if not keys:
            return
        texts = sorted(str(key) for key in keys)
        changes.note(
            self.cluster,
            (
                TimelineChange(feed=feed, change=change, keys=texts, is_own=is_own, after=after, up_to=up_to)
                for feed in sorted(feeds)
            ),
        )

    def _drop(self, feeds: Iterable[int]) -> None:
        changes.note(
            self.cluster, (TimelineChange(feed=feed, change=Change.DROPPED) for feed in sorted(feeds))
        )


def _idle_seconds() -> int:
    return max(int(server_settings.TIMELINES_IDLE_SECONDS), 1)


def _is_grouped(feed: int) -> bool:
    rows = Feed.objects.using(database()).filter(pk=feed).values_list("application_id", "slug")
    groups = (groups_of(application_id).get(slug) for application_id, slug in rows)
    return any(group is not None and group.grouped for group in groups)
