"""What a timeline store must do.

The record (placements, exclusions, follows) is the truth; a store holds what follows from it.
Every writing method gets the part of the record that changed, reads the record itself, and
makes its own rows agree with it: each call may be repeated, and `rebuild` is all of them at once.
Callers hold the row locks of the feeds named, inside a transaction.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import now_in_microseconds
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import FanoutJob


@dataclass(frozen=True, slots=True)
class Mark:
    """A group as its reader saw it: what came to it since is not marked."""

    newest: uuid.UUID
    """Sort key of the newest activity that was shown."""
    name: str = ""
    """Name of the group, if the reader gave it."""


Marked = Literal["all"] | Collection[Mark]
"""All groups of a feed, or those that have nothing newer than what a mark names."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """When somebody began to read a grouped feed.

    Until they are through, each group stands where it stood then, by what was in it then, whatever came to it
    or left it since. Groups that are new since then are not shown.
    """

    newest: uuid.UUID
    """Sort key of the newest activity there was."""
    moment: int = field(default_factory=now_in_microseconds)
    """In microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a feed to read, newest first; bounds are sort keys of activities."""

    limit: int
    offset: int = 0
    below: uuid.UUID | None = None
    """Strictly older than this."""
    up_to: uuid.UUID | None = None
    above: uuid.UUID | None = None
    """Strictly newer than this; the page is the newest `limit` of those."""
    from_on: uuid.UUID | None = None
    as_of: AsOf | None = None
    """Of grouped feeds."""
    oldest_first: bool = False
    """Of flat feeds: begin at the other end."""

    @property
    def begins(self) -> bool:
        """Whether it is the beginning of the feed."""
        return self.offset == 0 and self.below is self.up_to is None


@dataclass(slots=True)
class ActivityGroupRow:
    """A group of an aggregated or notification feed, with its newest activities."""

    name: str
    activity_count: int
    actor_count: int
    created_at: str
    """As on the wire."""
    updated_at: str
    is_seen: bool
    is_read: bool
    activities: list[ActivityRow]
    """Newest first; the first one gives the group its id."""
    place: uuid.UUID
    """Where the group stands: the sort key of its newest activity, or of that which was `as_of`."""


@dataclass(slots=True)
class ActivityGroupPage:
    """A page of groups, and how many groups of the whole feed wait for their reader."""

    groups: list[ActivityGroupRow]
    unseen: int = 0
    unread: int = 0


class Timelines(ABC):
    """Base class of timeline stores.

    `feed` is the number of a feed's row, and keys are sort keys of activities.
    """

    @abstractmethod
    def page(self, application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
        """The entries of a flat feed in the window, newest first; of an unknown feed none.

        Each is its activity, with the name of the followed feed that brought it as `origin`, and
        `activity_rows.missing(key)` where the activity is just being deleted: readers page by entries.

        A store that lives with the activities joins them in its own statement; one that holds nothing but
        keys and origins fetches them with `activity_rows.by_key`.
        """

    @abstractmethod
    def origins(self, feed: int, key: uuid.UUID) -> list[int]:
        """Everything that brings the activity to the feed, in order.

        -1 is an exclusion, 0 the feed's own placement, any other number that of a followed feed.
        """

    @abstractmethod
    def group_page(
        self, application_id: int, feed_id: FeedID, window: Window, per_group: int, *, counted: bool
    ) -> ActivityGroupPage:
        """The groups of a feed in the window, by their newest activity, each with its newest `per_group`.

        With `counted`, also how many groups of the whole feed are unseen and unread.
        """

    @abstractmethod
    def mark(self, feed: int, *, seen: Marked = (), read: Marked = (), unread: Marked = ()) -> bool:
        """Mark groups of a feed seen and read, or unread again; whether any mark changed.

        Of very many, those that are not among the newest may be marked after the commit.
        """

    @abstractmethod
    def placed(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        """Placements of these keys on these feeds were made and exclusions lifted.

        Followers receive them too, unless own_only.
        """

    def keep_back(self, changed: Collection[tuple[int, uuid.UUID]]) -> set[int]:
        """Placements (feed, key) were just made, and `placed` will be called for them.

        A store may keep some of them back, to find them when followers read. Returns the feeds of which it
        has kept all, so that `placed` has nothing for any follower.
        """
        return set()

    @abstractmethod
    def withdrawn(
        self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False
    ) -> None:
        """Placements of these keys on these feeds were deleted, or exclusions made."""

    @abstractmethod
    def edited(self, feeds: Collection[int], keys: Collection[uuid.UUID], *, own_only: bool = False) -> None:
        """Activities placed on these feeds have other actors or group names."""

    @abstractmethod
    def fan_out_part(
        self, feed: int, keys: Collection[uuid.UUID], after: int, up_to: int, change: FanoutJob.Change
    ) -> None:
        """Bring a change of these keys on a feed to the followers by the follows with these ids alone.

        The record may have changed again since, so an activity may be gone, or placed anew.
        """

    @abstractmethod
    def followed(self, follows: Sequence[int]) -> None:
        """These follows were opened: copy what they admit of the past."""

    @abstractmethod
    def unfollowed(self, pairs: Collection[tuple[int, int]]) -> None:
        """All follows of these (source, target) pairs were deleted."""

    @abstractmethod
    def settle(self, feed: int) -> None:
        """Do what a store may leave until somebody reads the feed."""

    @abstractmethod
    def rebuild(self, feed: int) -> None:
        """Compute one feed anew from the record; its writers wait, and those of the feeds that it follows."""

    @abstractmethod
    def snapshot(self, feed: int) -> str:
        """What a timeline holds, as one short value that is equal exactly when the timelines are."""

    @abstractmethod
    def forget(self, feed: int) -> None:
        """Delete all that is kept of a feed, whose row is about to be deleted: nothing is placed on it."""

    @abstractmethod
    def prune(self) -> None:
        """Finish what a killed worker left, and delete what is needed no more.

        Of the past, that is what only somebody would need who began to read long ago.
        """
