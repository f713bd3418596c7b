"""A page of a feed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from django.db import router

from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow, missing
from django_stream.server.models import Feed
from django_stream.server.reads import activities
from django_stream.server.timelines import Entry, Window, timelines

# Rows read at once where a page is not full, and in all before it ends short of its limit.
_STEP, _LOOKED_AT_MAX = 500, 2000

Keep = Callable[[ActivityRow], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a feed, newest first."""

    items: list[ActivityRow]
    more: bool
    last_id: str = ""
    """Where the next page begins, which is not the last item when that page ended early."""


def find(application_id: int, feed_id: FeedID) -> int | None:
    """The feed's number; None for a feed that was never written to."""
    rows = Feed.objects.using(router.db_for_read(Feed)).filter(
        application_id=application_id, slug=feed_id.slug, user_id=feed_id.user_id
    )
    return rows.values_list("pk", flat=True).first()


def page(application_id: int, feed_id: FeedID, window: Window, keep: Keep | None = None) -> Page:
    """The activities of a feed in the window; `keep` drops some, and older ones fill the page up.

    Where nearly all are dropped, the page ends after so many rows that were looked at, and `more` says so.
    """
    if window.limit == 0:
        return Page([], more=False)
    # One entry more tells whether there is another page.
    step = replace(window, limit=window.limit + 1)
    items: list[ActivityRow] = []
    looked_at = 0
    while True:
        entries = _entries(application_id, feed_id, step)
        looked_at += len(entries)
        found = [row for row in entries if row.actor is not None]
        items += found if keep is None else filter(keep, found)
        if len(items) > window.limit:
            return Page(items[: window.limit], more=True, last_id=items[window.limit - 1].activity_id)
        if len(entries) < step.limit:
            return Page(items, more=False)
        if looked_at >= _LOOKED_AT_MAX:
            return Page(items, more=True, last_id=entries[-1].activity_id)
        step = replace(step, limit=_STEP, offset=0, up_to=None, below=entries[-1].key)


def _entries(application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
    store = timelines()
    joined = store.flat_page(application_id, feed_id, window)
    if joined is not None:
        return joined
    feed = find(application_id, feed_id)
    entries = [] if feed is None else store.page(feed, window)
    found = {row.key: row for row in items_of(application_id, entries)}
    return [found.get(entry.key) or missing(entry.key) for entry in entries]


def items_of(application_id: int, entries: Sequence[Entry]) -> list[ActivityRow]:
    """Load the activities of timeline entries; those that are just being deleted are left out."""
    found = activities.rows_by_key(application_id, {entry.key for entry in entries})
    origins = _names({entry.origin for entry in entries if entry.origin is not None})
    for entry in entries:
        if entry.key in found and entry.origin is not None:
            found[entry.key].origin = origins.get(entry.origin)
    return [found[entry.key] for entry in entries if entry.key in found]


def _names(feeds: Collection[int]) -> dict[int, str]:
    if not feeds:
        return {}
    rows = Feed.objects.using(router.db_for_read(Feed)).filter(pk__in=feeds)
    return {feed: f"{slug}:{user_id}" for feed, slug, user_id in rows.values_list("pk", "slug", "user_id")}
