"""A page of a feed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import router

from django_stream.protocol.feed_ids import FeedID
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import Feed
from django_stream.server.timelines import Window, timelines

Keep = Callable[[ActivityRow], bool]
"""Whether a reader is shown the activity."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a feed, newest first."""

    items: list[ActivityRow]
    more: bool


def find(application_id: int, feed_id: FeedID) -> int | None:
    """The number of a feed's row; None for a feed that was never written to."""
    rows = Feed.objects.using(router.db_for_read(Feed)).filter(
        application_id=application_id, slug=feed_id.slug, user_id=feed_id.user_id
    )
    return rows.values_list("pk", flat=True).first()


def page(application_id: int, feed_id: FeedID, window: Window, keep: Keep | None = None) -> Page:
    """The activities of a feed in the window; older ones fill the place of those that `keep` drops."""
    if window.limit == 0:
        return Page([], more=False)
    # One entry more than asked for, to know whether there is another page.
    step = replace(window, limit=window.limit + 1)
    items: list[ActivityRow] = []
    while True:
        entries = timelines().page(application_id, feed_id, step)
        items += [row for row in entries if row.actor is not None]
        if keep is not None:
            items = [row for row in items if keep(row)]
        if len(items) > window.limit or len(entries) < step.limit:
            return Page(items[: window.limit], more=len(items) > window.limit)
        step = replace(step, offset=0, up_to=None, below=entries[-1].key)
