"""A page of an aggregated or notification feed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django_stream.protocol import limits
from django_stream.protocol.activity_ids import from_sort_key
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.feed_groups import FeedGroup
from django_stream.server.reads.feeds import Keep
from django_stream.server.timelines import ActivityGroupRow, AsOf, Window, timelines

_HIGHEST = uuid.UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class GroupedPage:
    """Groups, newest first, each with its newest activities."""

    groups: list[tuple[ActivityGroupRow, list[ActivityRow]]]
    more: bool
    unseen: int = 0
    unread: int = 0
    last_id: str = ""
    """Where the page ends, even if its last group was left out."""
    as_of: AsOf | None = None
    """Since when the feed is read, for the next page."""


def page(
    application_id: int, feed_id: FeedID, feed_group: FeedGroup, window: Window, keep: Keep | None = None
) -> GroupedPage:
    """The groups of a feed in the window, and how many wait for their reader in all of it."""
    counted = feed_group.kind == "notification"
    if window.limit == 0 and not counted:
        return GroupedPage([], more=False)
    # One group more than asked for, to know whether there is another page; for the counts alone, none.
    step = replace(window, limit=window.limit and window.limit + 1)
    found = timelines().group_page(
        application_id, feed_id, step, limits.ACTIVITIES_PER_GROUP, counted=counted
    )
    shown = found.groups[: window.limit]
    filled = [(activity_group, _kept(activity_group, keep)) for activity_group in shown]
    if keep is not None:
        filled = [(activity_group, items) for activity_group, items in filled if items]
    last = place_id(shown[-1], feed_group) if shown else ""
    as_of = window.as_of or _begun(shown, window)
    return GroupedPage(filled, len(found.groups) > window.limit, found.unseen, found.unread, last, as_of)


def _begun(shown: Sequence[ActivityGroupRow], window: Window) -> AsOf | None:
    """What the pages after this one keep to. What is newer than the first group came while it was read."""
    if not shown:
        return None
    return AsOf(shown[0].place if window.begins else _HIGHEST)


def _kept(activity_group: ActivityGroupRow, keep: Keep | None) -> list[ActivityRow]:
    """The activities to show; one without actor is just being deleted."""
    present = [row for row in activity_group.activities if row.actor is not None]
    return present if keep is None else [row for row in present if keep(row)]


def wire_id(activity_group: ActivityGroupRow, feed_group: FeedGroup) -> str:
    """The id of a group: its newest activity's, on notification feeds with the name behind."""
    return _named(activity_group.activities[0].activity_id, activity_group, feed_group)


def place_id(activity_group: ActivityGroupRow, feed_group: FeedGroup) -> str:
    """The id that stands for the group's place: its own, unless it has moved."""
    return _named(str(from_sort_key(activity_group.place)), activity_group, feed_group)


def _named(activity_id: str, activity_group: ActivityGroupRow, feed_group: FeedGroup) -> str:
    return f"{activity_id}.{activity_group.name}" if feed_group.kind == "notification" else activity_id
