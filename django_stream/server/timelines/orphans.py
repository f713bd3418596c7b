"""Entries whose activity is gone, and groups that hold what their feed has not.

None should be, and a rebuild of the feed removes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db import router
from django.db.models import Exists, OuterRef

from django_stream.server.models import (
    Activity,
    ActivityGroupEntry,
    Feed,
    GroupChange,
    Placement,
    TimelineEntry,
)

_FEEDS = 500


def feeds_with_orphans(*, after: int = 0) -> Iterator[int]:
    """Feeds, by number, that list an activity which does not exist, or have one in their groups alone.

    Reads every entry once. With `after` only of feeds with higher numbers.
    """
    using = router.db_for_write(Feed)
    last = after
    while feeds := list(Feed.objects.using(using).filter(pk__gt=last).order_by("pk")[:_FEEDS]):
        last = feeds[-1].pk
        by_application: dict[int, list[int]] = {}
        for feed in feeds:
            by_application.setdefault(feed.application_id, []).append(feed.pk)
        found: set[int] = set()
        for application_id, numbers in by_application.items():
            activity = Activity.objects.filter(application_id=application_id, key=OuterRef("key"))
            for rows in (
                TimelineEntry.objects.using(using).filter(feed__in=numbers).order_by().values_list("feed"),
                Placement.objects.using(using).filter(feed__in=numbers).order_by().values_list("feed_id"),
            ):
                found |= {number for (number,) in rows.filter(~Exists(activity)).distinct()}
        yield from sorted(found | _in_groups_alone([feed.pk for feed in feeds], using))


def _in_groups_alone(feeds: Collection[int], using: str) -> set[int]:
    """Of these feeds those whose groups hold an activity that is not on the feed, and no change waits."""
    same = {"feed": OuterRef("feed"), "key": OuterRef("key")}
    on_feed, waits = (Exists(model.objects.filter(**same)) for model in (TimelineEntry, GroupChange))
    strays = ActivityGroupEntry.objects.using(using).filter(~on_feed, ~waits, feed__in=feeds)
    return set(strays.order_by().values_list("feed", flat=True).distinct())
