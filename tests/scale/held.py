"""What the cluster holds, beside what the record says."""

from __future__ import annotations

from django_stream.server.models import Feed, TimelineChange
from django_stream.server.timelines import Window, timelines
from django_stream.server.timelines.clustered import record

SLUGS = ("user", "timeline")


def held(feed: int):
    """Entries and whether they are all; None where there is no timeline."""
    return timelines().everything(feed)


def compare() -> int:
    """Every timeline that is there is what the record says; how many there are."""
    assert not TimelineChange.objects.exists()
    found = 0
    for feed in Feed.objects.filter(slug__in=SLUGS):
        kept = held(feed.pk)
        if kept is None:
            continue
        found += 1
        recorded = record.entries(feed.pk, Window(1000))
        entries, is_whole = kept
        assert entries == (recorded if is_whole else recorded[: len(entries)]), feed
    return found
