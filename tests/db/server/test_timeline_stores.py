"""A timeline store that holds nothing but keys and origins serves the same pages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.db.models import Min

from django_stream.protocol.feed_ids import FeedID
from django_stream.server import activity_rows
from django_stream.server.activity_rows import ActivityRow
from django_stream.server.models import Activity, Feed, TimelineEntry
from django_stream.server.timelines import Window, timelines
from django_stream.server.timelines.database import DatabaseTimelines
from tests.contract.calling import follow, ok, post

pytestmark = pytest.mark.django_db

WINDOW = {"below": "lt", "up_to": "lte", "above": "gt", "from_on": "gte"}


class KeysAlone(DatabaseTimelines):
    """Knows which entries a feed has, and asks the record for everything else."""

    def page(self, application_id: int, feed_id: FeedID, window: Window) -> list[ActivityRow]:
        entries = list(self._entries(application_id, feed_id, window))
        found = activity_rows.by_key(application_id, [key for key, _ in entries])
        origins = {feed.pk: str(feed) for feed in Feed.objects.filter(pk__in={via for _, via in entries})}
        rows = [found.get(key) or activity_rows.missing(key) for key, _ in entries]
        for row, (_, via) in zip(rows, entries, strict=True):
            row.origin = origins.get(via)
        return rows

    def _entries(
        self, application_id: int, feed_id: FeedID, window: Window
    ) -> Iterator[tuple[uuid.UUID, int]]:
        feeds = Feed.objects.filter(application_id=application_id, slug=feed_id.slug, user_id=feed_id.user_id)
        bounds = {
            f"key__{name}": getattr(window, bound) for bound, name in WINDOW.items() if getattr(window, bound)
        }
        rows = TimelineEntry.objects.filter(feed__in=feeds.values("pk"), **bounds)
        shown = rows.values("key").annotate(first=Min("via")).filter(first__gte=0).order_by("-key")
        for row in shown[window.offset : window.offset + window.limit]:
            yield row["key"], row["first"]


@pytest.fixture
def busy_feed() -> list[str]:
    """Ids on timeline:1, newest first: own and followed ones without one excluded and one half deleted."""
    follow("timeline:1", "user:2")
    made = [post("user:2", object=str(number))["id"] for number in range(6)]
    made += [post("timeline:1", object=str(number))["id"] for number in range(6, 8)]
    ok("DELETE", f"feed/timeline/1/{made[1]}/")
    newest_first = ok("GET", "feed/timeline/1/")["results"]
    # As while it is being deleted: the activity has gone, its timeline entries are still there.
    Activity.objects.filter(object="3").delete()
    return [item["id"] for item in newest_first if item["object"] != "3"]


def pages(ids: list[str]) -> list[object]:
    queries = [
        {},
        {"limit": "2"},
        {"limit": "3", "offset": "2"},
        *({name: ids[2], "limit": "2"} for name in ("id_lt", "id_lte", "id_gt", "id_gte")),
        {"discard_actors": "eric"},
        {"ranking": "plain", "limit": "4"},
    ]
    answers = [ok("GET", "feed/timeline/1/", **query) for query in queries]
    for answer in answers:
        answer["next"] = answer["next"].partition("&session=")[0]
    return [*answers, ok("GET", "feed/timeline/nobody/")]


def test_every_store_serves_the_same_pages(busy_feed, settings):
    groups = settings.STREAM_SERVER_FEED_GROUPS
    ranked = {"kind": "flat", "ranking": {"plain": {"score": "1"}}}
    settings.STREAM_SERVER_FEED_GROUPS = {**groups, "timeline": ranked}
    joined = pages(busy_feed)
    assert [item["id"] for item in joined[0]["results"]] == busy_feed
    assert {item["origin"] for item in joined[0]["results"]} == {"user:2", None}

    settings.STREAM_SERVER_TIMELINES = f"{__name__}.KeysAlone"
    assert isinstance(timelines(), KeysAlone)
    assert pages(busy_feed) == joined
