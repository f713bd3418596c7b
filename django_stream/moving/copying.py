"""From one home of the feeds to another, by what the API tells: all that its users see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model

from django_stream.activities.ids import from_wire_id, pk_text
from django_stream.activities.model_references import clean_pk
from django_stream.activities.owners import feed_id, owner_id
from django_stream.client.exceptions import FeedConfigException
from django_stream.conf import stream_settings
from django_stream.database.querysets import all_rows
from django_stream.moving.homes import (
    Activity,
    Home,
    origin_of,
    originals,
    references,
    slugs_of,
    targets_of,
    to_send,
)
from django_stream.moving.marking import Group, mark, whole
from django_stream.moving.sending import Destination, Entry
from django_stream.moving.tables import in_steps, users_at
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.wire import members

_USERS = 100
_FOLLOWS, _ACTIVITIES, _OTHERS, _MARKS = range(4)
"""Steps: follows before activities, so that each activity reaches all; marks when everything is there."""


@dataclass(slots=True)
class Copy:
    """Copies the feeds of all users, and every feed that these lead to.

    `named` are further groups, of which every user has a feed, and ids of further feeds. `place` says how far
    the copy has come; `save` is called when it has changed, so that a copy that was killed can go on there.
    """

    source: Home
    to: Destination
    using: str
    named: Sequence[str] = ()
    place: dict[str, Any] = field(default_factory=dict)
    save: Callable[[dict[str, Any]], None] = lambda place: None
    _found: dict[FeedID, bool] = field(default_factory=dict)
    """Feeds of others than users, in the order in which they were found; whether they were copied."""

    def run(self) -> None:
        self._found = dict.fromkeys(map(FeedID.parse, self.place.get("found", ())), False)
        slugs, feeds = slugs_of(self.named)
        self._note(feeds)
        own = list(dict.fromkeys([stream_settings.USER_FEED, stream_settings.NOTIFICATION_FEED, *slugs]))
        for step, names, work in (
            (_FOLLOWS, self._walked, self._follow),
            (_ACTIVITIES, own, self._copy),
            (_OTHERS, [], self._copy),
            (_MARKS, [stream_settings.NOTIFICATION_FEED], self._mark),
        ):
            if step >= self.place.get("step", 0):
                self._walk(step, names, work)
                if step == _OTHERS:
                    self._copy_others()
                self._save({"step": step + 1, "last": None})

    def _walk(self, step: int, slugs: Sequence[str], work: Callable[[FeedID], None]) -> None:
        """The feeds of all users, a few users at a time."""
        last = self.place.get("last") if step == self.place.get("step") else None
        rows = all_rows(get_user_model(), self.using).order_by("pk")
        while slugs:
            after = rows if last is None else rows.filter(pk__gt=clean_pk(rows.model, last))
            users = list(after[:_USERS])
            for user in users:
                for slug in slugs:
                    work(feed_id(slug, user))
            if not users:
                break
            last = pk_text(users[-1].pk)
            self._save({"step": step, "last": last})

    def _copy_others(self) -> None:
        while waiting := [name for name, is_copied in self._found.items() if not is_copied]:
            for name in waiting:
                self._found[name] = True
                self._follow(name)
                self._copy(name)

    def _save(self, place: dict[str, Any]) -> None:
        self.place = place | {"found": [str(name) for name in self._found]}
        self.save(self.place)

    @property
    def _walked(self) -> list[str]:
        """The groups of which every user has a feed."""
        slugs, _ = slugs_of(self.named)
        news = stream_settings.news_feeds.values()
        own = (stream_settings.USER_FEED, stream_settings.NOTIFICATION_FEED)
        return list(dict.fromkeys([*own, *news, *slugs]))

    def _users(self) -> Iterator[FeedID]:
        for users in in_steps(all_rows(get_user_model(), self.using), "pk"):
            yield from (feed_id(stream_settings.USER_FEED, user) for user in users)

    def _follow(self, name: FeedID) -> None:
        pairs: list[dict[str, str]] = []
        for target in self._read(lambda: list(self.source.follows(name, self._users)), name):
            self._note([target])
            pairs.append({"source": str(name), "target": str(target)})
        self.to.follow(pairs)

    def _copy(self, name: FeedID) -> None:
        pages = self.source.pages(name)
        while entries := self._read(lambda: next(pages, []), name):
            everything = [one for entry in entries for one in members(entry)]
            self._note(FeedID.parse(one) for one in map(origin_of, everything) if one)
            own = list(originals(name, entries))
            self._note(FeedID.parse(one) for activity in own for one in targets_of(activity))
            self._copy_objects(own)
            self.to.add(Entry(name, to_send(activity)) for activity in own)
            for reaction in self.source.reactions(own):
                self._react(reaction, own)
            if hidden := sum(_not_listed(entry) for entry in entries):
                self.to.outcome.notes[f"activities of groups in {name.slug} that the API does not list"] += (
                    hidden
                )

    def _copy_objects(self, activities: list[Activity]) -> None:
        """Collection entries and users of the API that activities refer to, before these."""
        entries: dict[str, set[str]] = defaultdict(set)
        for reference in references(activities, "SO:"):
            collection, _, key = reference.partition(":")
            entries[collection].add(key)
        for collection, ids in entries.items():
            found = self.source.client.collections.select(collection, sorted(ids))["response"]["data"]
            self.to.upsert(collection, [{**one["data"], "id": one["id"]} for one in found])
        if users := sorted(set(references(activities, "SU:"))):
            self.to.add_users(
                [
                    {"id": one["id"], "data": one.get("data") or {}}
                    for one in self.source.client.users.get_many(users)["users"]
                ]
            )

    def _react(self, reaction: dict[str, Any], own: list[Activity]) -> None:
        # An activity without a foreign id has another id there, as it was given one.
        nameless = any(one["id"] == reaction["activity_id"] and not one.get("foreign_id") for one in own)
        if nameless:
            self.to.outcome.left_out["reactions to activities without a foreign id"] += 1
        else:
            self.to.react(reaction)

    def _mark(self, name: FeedID) -> None:
        """Groups are known by their activities, since the two homes may group in other ways."""
        seen: set[str] = set()
        read: set[str] = set()
        same: dict[str, Group] = {}
        pages = self.source.pages(name)
        while groups := self._read(lambda: next(pages, []), name):
            for group in groups:
                if not group["is_seen"] and not group["is_read"]:
                    continue
                same[group["id"]] = _known_again(group)
                ids = [one["foreign_id"] or f"activity:{one['id']}" for one in members(group)]
                seen |= set(ids) if group["is_seen"] else set()
                read |= set(ids) if group["is_read"] else set()

        def were(key: str, marked: set[str]) -> Any:
            return lambda groups: [
                _is_same(same.get(one["id"]), one, key) or whole(one, marked) for one in groups
            ]

        if same and not self.to.dry_run:
            feed = self.to.client.feed(name.slug, name.user_id)
            mark(feed, were("is_seen", seen), were("is_read", read))

    def _note(self, names: Iterable[FeedID]) -> None:
        """Remember those that are not walked anyhow."""
        walked = self._walked
        candidates = [one for one in dict.fromkeys(names) if one not in self._found]
        keys = {from_wire_id(one.user_id) for one in candidates if one.slug in walked}
        users = {owner_id(user) for user in users_at(keys, self.using).values()} if keys else set()
        for one in candidates:
            if one.slug not in walked or one.user_id not in users:
                self._found[one] = False

    def _read(self, read: Any, name: FeedID) -> Any:
        """An answer about a feed; nothing where the home has no such group."""
        try:
            return read()
        except FeedConfigException:
            self.to.outcome.left_out[f"feeds of the group {name.slug}, which is not there"] += 1
            return []


def _not_listed(entry: dict[str, Any]) -> int:
    return max(0, entry.get("activity_count", 0) - len(members(entry))) if "activities" in entry else 0


def _known_again(group: Group) -> Group:
    """What `_is_same` asks of a group, without all that its activities hold."""
    marks = {name: group[name] for name in ("is_seen", "is_read", "activity_count")}
    return marks | {"activities": [{"foreign_id": one["foreign_id"]} for one in members(group)]}


def _is_same(there: Group | None, here: Group, key: str) -> bool:
    if there is None or not there[key] or there["activity_count"] != here["activity_count"]:
        return False
    return [one["foreign_id"] for one in members(there)] == [one["foreign_id"] for one in members(here)]
