"""How large a feed is, and making it smaller: by the API's own means, in every home."""

from __future__ import annotations

from typing import Any

from django_stream.client import Feed
from django_stream.feeds.event_loop import refuse_event_loop
from django_stream.protocol import limits
from django_stream.protocol.wire import members


def size(feed: Feed, most: int) -> int:
    """How many entries a feed has, page by page, up to `most`."""
    refuse_event_loop("counting a feed", "sync_to_async")
    found = 0
    place: dict[str, Any] = {}
    while found < most:
        page = feed.get(limit=min(limits.PAGE_MAX, most - found), **place)["results"]
        if not page:
            break
        found += len(page)
        place = {"id_lt": page[-1]["id"]}
    return found


def trim(feed: Feed, keep: int) -> int:
    """Remove what is beyond the newest `keep` entries, one by one; how many activities that were."""
    refuse_event_loop("trimming a feed", "sync_to_async")
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 0:
        raise ValueError(f"keep must be a number of entries from 0 on, not {keep!r}")
    removed = 0
    before: dict[str, None] = {}
    # Groups list their newest activities only: what is left of them comes with the next reading.
    while entries := feed.get(limit=limits.PAGE_MAX, offset=keep)["results"]:
        page = dict.fromkeys(activity["id"] for entry in entries for activity in members(entry))
        # Where pages lag behind, on a replica, they show for a while what has just been removed.
        left = [activity_id for activity_id in page if activity_id not in before]
        if not left:
            break
        for activity_id in left:
            feed.remove_activity(activity_id)
        removed += len(left)
        before = page
    return removed
