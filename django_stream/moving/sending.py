"""Sending what importers have read: follows first, then activities; what does not fit is counted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from django.db import models

from django_stream.activities.model_references import concrete
from django_stream.activities.registry import is_shown
from django_stream.client import StreamClient
from django_stream.client.exceptions import (
    ConflictException,
    DoesNotExistException,
    FeedConfigException,
    StreamApiException,
    ValidationError,
)
from django_stream.database.batches import batched
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID

_NOT_FOR_ONE = frozenset({401, 403, 429})
"""Refusals that say nothing of the activity that was sent."""
_UNTELLABLE = (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading and encoding raise for what other programs have left in a table."""


class Entry(NamedTuple):
    """An activity, and the feed that it is added to."""

    feed: FeedID
    activity: dict[str, Any]


@dataclass(slots=True)
class Outcome:
    """What became of the rows of an import."""

    follows: int = 0
    activities: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that were not sent, by the reason."""
    notes: Counter[str] = field(default_factory=Counter)
    """What of rows was sent in another form, by what was the matter."""
    refused: int = 0
    """How many of those left out the API refused."""
    further: Counter[str] = field(default_factory=Counter)
    """What else was sent: reactions, entries of collections, users."""
    hidden: set[str] = field(default_factory=set)
    """Models whose rows pages show as text until `tracking.show` is called for them."""

    def refer_to(self, row: models.Model) -> None:
        if not is_shown(type(row)):
            self.hidden.add(concrete(type(row))._meta.label)


class MissingGroups(LookupError):
    """The API lacks feed groups that an import writes to."""


def require_groups(client: StreamClient, slugs: Iterable[str]) -> None:
    """MissingGroups, naming them all, unless the API has these feed groups."""
    missing = []
    for slug in slugs:
        try:
            client.feed(slug, "any").get(limit=1)
        except FeedConfigException:
            missing.append(slug)
    if missing:
        raise MissingGroups(", ".join(missing))


class Destination:
    """Where an import goes: with `dry_run` it only counts."""

    def __init__(self, client: StreamClient, outcome: Outcome, *, dry_run: bool = False) -> None:
        self.client, self.outcome, self.dry_run = client, outcome, dry_run

    def follow(self, pairs: Sequence[dict[str, str]]) -> None:
        if pairs and not self.dry_run:
            # Nothing is there to be copied, unless somebody followed between two runs.
            self.client.follow_many(list(pairs), limits.COPY_LIMIT_MAX)
        self.outcome.follows += len(pairs)

    def add(self, entries: Iterable[Entry]) -> None:
        by_feed: dict[FeedID, list[dict[str, Any]]] = defaultdict(list)
        for entry in entries:
            if trouble := self._trouble(entry.activity):
                self.outcome.left_out[trouble] += 1
            else:
                by_feed[entry.feed].append(entry.activity)
        for feed, activities in by_feed.items():
            for some in batched(activities, limits.ACTIVITIES_PER_REQUEST):
                if self.dry_run:
                    self.outcome.activities += len(some)
                else:
                    add = self.client.feed(feed.slug, feed.user_id).add_activities
                    self.outcome.activities += self._accepted(add, list(some))

    def upsert(self, collection: str, entries: list[dict[str, Any]]) -> None:
        upsert = partial(self.client.collections.upsert, collection)
        sent = len(entries) if self.dry_run else self._accepted(upsert, entries)
        self.outcome.further["entries of collections"] += sent

    def add_users(self, users: list[dict[str, Any]]) -> None:
        add = partial(self.client.users.add_many, override=True)
        self.outcome.further["users"] += len(users) if self.dry_run else self._accepted(add, users)

    def react(self, reaction: Mapping[str, Any]) -> None:
        """Add a reaction by its id; one that is there already stays as it is."""
        try:
            sent = 1 if self.dry_run else self._accepted(self._react, [reaction])
        except DoesNotExistException:
            self.outcome.left_out["reactions to what was left out"] += 1
        else:
            self.outcome.further["reactions"] += sent

    def _react(self, reactions: Sequence[Mapping[str, Any]]) -> None:
        for one in reactions:
            add = self.client.reactions.add_child if one["parent"] else self.client.reactions.add
            about = one["parent"] or one["activity_id"]
            with suppress(ConflictException):
                add(one["kind"], about, one["user_id"], one["data"], id=one["id"])

    def _trouble(self, activity: dict[str, Any]) -> str:
        try:
            return _unfit(activity)
        except _UNTELLABLE as error:
            return f"what it says cannot be sent ({type(error).__name__})"

    def each(self, rows: Iterable[Any], told: Callable[[Any], Entry | None]) -> Iterator[Entry]:
        """What rows tell; those of which nothing can be read are counted."""
        for row in rows:
            try:
                entry = told(row)
            except _UNTELLABLE as error:
                self.outcome.left_out[f"the row cannot be read ({type(error).__name__})"] += 1
            else:
                if entry is not None:
                    yield entry

    def _accepted(self, send: Callable[[list[Any]], Any], things: Sequence[Any]) -> int:
        """How many were sent: all at once, or one by one to find those that the API refuses."""
        if not things:
            return 0
        try:
            send(list(things))
        except DoesNotExistException:
            raise
        except (StreamApiException, ValidationError, *_UNTELLABLE) as error:
            status = getattr(error, "status_code", 400)
            if status in _NOT_FOR_ONE or (status or 500) >= 500:
                raise
            if len(things) > 1:
                return sum(self._accepted(send, [one]) for one in things)
            self.outcome.left_out[f"refused by the API: {error}"] += 1
            self.outcome.refused += 1
            return 0
        return len(things)


def _unfit(activity: dict[str, Any]) -> str:
    if len(activity["verb"].encode()) > limits.TEXT_BYTES:
        return f"the verb has more than {limits.TEXT_BYTES} bytes"
    if len(json.dumps(activity, default=str, ensure_ascii=False).encode()) > limits.ACTIVITY_BYTES:
        return f"the activity has more than {limits.ACTIVITY_BYTES // 1024} KiB"
    return ""
