"""A page of a feed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from uuid import UUID

from django_stream.database.statements import Database
from django_stream.database.transactions import database_to_read
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.feed_store import named
from django_stream.server.models import Feed
from django_stream.server.timelines import Window, timelines

# Rows read at once where a page is not full, and in all before it ends short of its limit.
_STEP, _LOOKED_AT_MAX = 500, 2000

Keep = Callable[[ActivityRow], bool]
"""Whether a reader is shown the activity."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a feed, newest first."""

    items: list[ActivityRow]
    more: bool
    last_id: str = ""
    """Where the next page begins, which is not the last item when that page ended early."""


def find(application_id: int, feed_id: FeedID) -> int | None:
    """The number of a feed's row; None for a feed that was never written to."""
    rows = Feed.objects.using(database_to_read(Feed)).filter(
        application_id=application_id, slug=feed_id.slug, user_id=feed_id.user_id
    )
    return rows.values_list("pk", flat=True).first()


def numbers(application_id: int, feed_ids: Collection[FeedID]) -> set[int]:
    """The numbers of the rows of those of these feeds that were ever written to."""
    rows = Database.to_read(Feed).select(Feed, ["id"], named(application_id, feed_ids)) if feed_ids else []
    return {number for (number,) in rows}


def page(application_id: int, feed_id: FeedID, window: Window, keep: Keep | None = None) -> Page:
    """The activities of a feed in the window; older ones fill the place of those that `keep` drops.

    Where nearly all are dropped, the page ends after so many rows that were looked at, and `more` says so.
    """
    if window.limit == 0:
        return Page([], more=False)
    # One entry more than asked for, to know whether there is another page.
    step = replace(window, limit=window.limit + 1)
    items: list[ActivityRow] = []
    looked_at = 0
    while True:
        entries = timelines().page(application_id, feed_id, step)
        looked_at += len(entries)
        found = [row for row in entries if row.actor is not None]
        items += found if keep is None else filter(keep, found)
        if len(items) > window.limit:
            return Page(items[: window.limit], more=True, last_id=items[window.limit - 1].activity_id)
        if len(entries) < step.limit:
            return Page(items, more=False)
        if looked_at >= _LOOKED_AT_MAX:
            return Page(items, more=True, last_id=entries[-1].activity_id)
        step = _after(step, entries[-1].key)


def _after(step: Window, key: UUID) -> Window:
    """The next rows, in either direction."""
    step = replace(step, limit=_STEP, offset=0)
    if step.oldest_first:
        return replace(step, from_on=None, above=key)
    return replace(step, up_to=None, below=key)
