"""Groups of aggregated and notification feeds, kept in step with the timelines.

Every change holds the activities, then locks the groups it touches, in (name, feed) order, and
only then looks at the timelines: the later of two writers sees what the earlier one left, and both end
in the same state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from django_stream.database.dialect import Fragment, placeholders
from django_stream.database.statements import Database, equal
from django_stream.server.activity_rows import read_key
from django_stream.server.aggregation.names import name_older
from django_stream.server.feed_groups import groups_of
from django_stream.server.models import ActivityGroup, ActivityGroupEntry, Feed
from django_stream.server.timelines.group_marks import LOCK_ORDER
from django_stream.server.timelines.selection import FeedSelection, VisibleEntries, listed
from django_stream.server.timelines.tables import ACTIVITY, ACTIVITY_GROUP, ENTRY, EXCLUDED, FEED, TIMELINE

_VISIBLE = (
    f"EXISTS (SELECT 1 FROM {TIMELINE} t WHERE t.feed = e.feed AND t.key = e.key "
    f"GROUP BY t.key HAVING min(t.via) > {EXCLUDED})"
)
_COUNT = f"(SELECT count(*) FROM {ENTRY} e WHERE e.group_id = {ACTIVITY_GROUP}.id)"
# Looked up one by one: without statistics PostgreSQL would hash all activities for each group.
_ACTOR = f"(SELECT a.actor FROM {ACTIVITY} a WHERE a.application_id = %s AND a.key = e.key)"
_ACTORS = f"(SELECT count(DISTINCT {_ACTOR}) FROM {ENTRY} e WHERE e.group_id = {ACTIVITY_GROUP}.id)"
_NEWEST = f"(SELECT e.key FROM {ENTRY} e WHERE e.group_id = {ACTIVITY_GROUP}.id ORDER BY e.key DESC LIMIT 1)"
# CROSS JOIN keeps SQLite to this order of the tables, which it cannot know to be best without statistics.
_HELD = f"FROM {ENTRY} e CROSS JOIN {ACTIVITY_GROUP} b"
_GROUP_OF = f"CROSS JOIN {ACTIVITY_GROUP} b WHERE b.feed = n.feed AND b.name = n.name"


def joined(entries: VisibleEntries) -> None:
    """These activities became visible on these feeds.

    One that is still in the group of a former name stays there: whatever withdrew or edited it is
    under way to this feed, and ends with a review.
    """
    for groups in _grouped(entries.feeds):
        groups.join(entries.of_slug(groups.slug))


def reviewed(feeds: FeedSelection, keys: Fragment) -> None:
    """These activities may have gone from these feeds, or have other actors or names by now."""
    for groups in _grouped(feeds):
        groups.review(feeds.of_slug(groups.slug), keys)


def resync(database: Database, feed: int) -> None:
    """Put right whatever is in the groups of a feed and does not belong there."""
    feeds = FeedSelection.of(database, [feed])
    everything = database.query(ActivityGroupEntry, ["key"], equal("feed", feed))
    for groups in _grouped(feeds):
        groups.settle(feeds, everything, "feed = %s", [feed])


def _grouped(feeds: FeedSelection) -> Iterator[_Groups]:
    """The grouped feed groups among the selected feeds, in a fixed order."""
    database = feeds.database
    [[application_id]] = database.select(Feed, ["application_id"], equal("id", feeds.anchor))
    kinds = {slug: group.kind for slug, group in groups_of(application_id).items() if group.grouped}
    if not kinds:
        return
    # Asked by slug first: most applications have few grouped feeds, and most fan-outs reach none.
    found = database.rows(
        f"SELECT DISTINCT slug FROM {FEED} WHERE application_id = %s AND slug IN {placeholders(kinds)} "
        f"AND id IN ({feeds.query.text})",
        [application_id, *kinds, *feeds.query.params],
    )
    for (slug,) in sorted(found):
        yield _Groups(database, application_id, slug, marked=kinds[slug] == "notification")


def _visible(entries: VisibleEntries) -> Fragment:
    """A statement that gives feed and key."""
    feeds, keys, origins = entries.feeds.query, entries.keys, entries.origins
    brought = "" if origins is None else f" AND (via = {EXCLUDED} OR via IN ({origins.text}))"
    return Fragment(
        f"SELECT feed, key FROM {TIMELINE} WHERE feed IN ({feeds.text}) "
        f"AND key IN ({keys.text}){brought} GROUP BY feed, key HAVING min(via) > {EXCLUDED}",
        [*feeds.params, *keys.params, *(origins.params if origins else ())],
    )


@dataclass(frozen=True, slots=True)
class _Groups:
    """The groups on all feeds of one slug."""

    database: Database
    application_id: int
    slug: str
    marked: bool

    def join(self, entries: VisibleEntries) -> None:
        some_erased = self._hold(entries.keys)
        shown = _visible(entries)
        for erased in (False, True) if some_erased else (False,):
            state = self.database.dialect.boolean(erased)
            named = (
                f"(SELECT s.feed, s.key, {self._name} AS name FROM ({shown.text}) s CROSS JOIN {ACTIVITY} a "
                f"WHERE a.application_id = %s AND a.key = s.key AND a.is_erased = {state}) n"
            )
            params = [*shown.params, self.application_id]
            self._open(named, params)
            self._fill(named, params)
            where = f"id IN (SELECT b.id FROM {named} {_GROUP_OF})"
            # What is erased makes no group new to its reader.
            self._recount(where, params, renewed=self.marked and not erased)
            self._close(where, params)

    def review(self, feeds: FeedSelection, keys: Fragment) -> None:
        self._hold(keys)
        among, params = self._among(feeds, keys)
        found = self.database.rows(
            f"SELECT DISTINCT b.name, {self._name} {_HELD} LEFT JOIN {ACTIVITY} a "
            f"ON a.application_id = %s AND a.key = e.key WHERE {among}",
            [self.application_id, *params],
        )
        names = {name for row in found for name in row if name is not None}
        if names:
            where = f"name IN {placeholders(names)} AND feed IN ({feeds.query.text})"
            self.settle(feeds, keys, where, [*names, *feeds.query.params])

    def settle(self, feeds: FeedSelection, keys: Fragment, where: str, params: Sequence[Any]) -> None:
        """Put the entries of some activities right; `where` are the groups that this may concern."""
        self.database.lock(ActivityGroup, LOCK_ORDER, Fragment(where, params))
        moved = self._moved(feeds, keys)
        self._empty(feeds, keys)
        self._recount(where, params, renewed=False)
        self._close(where, params)
        if moved:
            self.join(VisibleEntries(feeds, listed(moved)))

    @property
    def _name(self) -> str:
        """The name of an activity's group."""
        return self.database.dialect.json_text("a.group_names", self.slug)

    def _hold(self, keys: Fragment) -> bool:
        """Keep activities from being changed until the transaction ends; whether any is erased.

        Whoever wants to change one meanwhile waits, and then finds it in the groups it is put into.
        """
        share = self.database.dialect.lock("SHARE")
        held = (
            f"SELECT a.key, a.is_erased, {self._name} AS name FROM {ACTIVITY} a "
            f"WHERE a.application_id = %s AND a.key IN ({keys.text}) ORDER BY a.key{share}"
        )
        params = [self.application_id, *keys.params]
        count, erased, named = self.database.rows(
            f"SELECT count(*), count(CASE WHEN is_erased THEN 1 END), count(name) FROM ({held}) held",
            params,
        )[0]
        if named < count:
            unnamed = self.database.rows(f"SELECT key FROM ({held}) held WHERE name IS NULL", params)
            name_older(self.application_id, self.slug, [read_key(key) for (key,) in unnamed])
        return bool(erased)

    def _open(self, named: str, params: Sequence[Any]) -> None:
        """Create the groups that are missing; lock those that exist."""
        now = self.database.dialect.param(timezone.now())
        moment = self.database.dialect.time_param
        # Seen and read until counted: that is what makes a new group new.
        yes = self.database.dialect.boolean(True)
        self.database.execute(
            f"INSERT INTO {ACTIVITY_GROUP} "
            "(feed, name, activity_count, actor_count, is_seen, is_read, created_at, updated_at) "
            f"SELECT n.feed, n.name, 0, 0, {yes}, {yes}, {moment}, {moment} "
            f"FROM {named} GROUP BY n.feed, n.name ORDER BY n.name, n.feed "
            "ON CONFLICT (feed, name) DO UPDATE SET name = EXCLUDED.name",
            [now, now, *params],
        )

    def _fill(self, named: str, params: Sequence[Any]) -> None:
        self.database.execute(
            f"INSERT INTO {ENTRY} (feed, key, group_id) SELECT n.feed, n.key, b.id FROM {named} {_GROUP_OF} "
            "ON CONFLICT DO NOTHING",
            params,
        )

    def _among(self, feeds: FeedSelection, keys: Fragment) -> tuple[str, list[Any]]:
        text = f"b.id = e.group_id AND e.feed IN ({feeds.query.text}) AND e.key IN ({keys.text})"
        return text, [*feeds.query.params, *keys.params]

    def _moved(self, feeds: FeedSelection, keys: Fragment) -> list[Any]:
        """Keys of those that are in a group of a former name."""
        among, params = self._among(feeds, keys)
        found = self.database.rows(
            f"SELECT DISTINCT e.key {_HELD} CROSS JOIN {ACTIVITY} a "
            f"WHERE {among} AND a.application_id = %s AND a.key = e.key AND b.name <> {self._name}",
            [*params, self.application_id],
        )
        return self.database.dialect.params([read_key(key) for (key,) in found])

    def _empty(self, feeds: FeedSelection, keys: Fragment) -> None:
        among, params = self._among(feeds, keys)
        name = f"(SELECT {self._name} FROM {ACTIVITY} a WHERE a.application_id = %s AND a.key = e.key)"
        self.database.execute(
            f"DELETE FROM {ENTRY} WHERE (feed, key) IN (SELECT e.feed, e.key {_HELD} "
            f"WHERE {among} AND (NOT {_VISIBLE} OR b.name <> {name}))",
            [*params, self.application_id],
        )

    def _recount(self, where: str, params: Sequence[Any], *, renewed: bool) -> None:
        """Count anew; a group that grew may be new to its reader."""
        now = self.database.dialect.param(timezone.now())
        moment = self.database.dialect.time_param
        grown = f"{_COUNT} > activity_count"
        marks = f", is_seen = (is_seen AND NOT {grown}), is_read = (is_read AND NOT {grown})"
        self.database.execute(
            f"UPDATE {ACTIVITY_GROUP} "
            f"SET activity_count = {_COUNT}, actor_count = {_ACTORS}, newest = {_NEWEST}, "
            f"updated_at = CASE WHEN {grown} THEN {moment} ELSE updated_at END"
            f"{marks if renewed else ''} WHERE {where}",
            [self.application_id, now, *params],
        )

    def _close(self, where: str, params: Sequence[Any]) -> None:
        self.database.execute(f"DELETE FROM {ACTIVITY_GROUP} WHERE {where} AND activity_count = 0", params)
