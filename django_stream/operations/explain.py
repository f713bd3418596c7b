"""Why a row is in a feed or is not, and what a feed holds and why: for whoever is asked by a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, models

from django_stream.activities.ids import pk_text
from django_stream.activities.owners import OwnerID
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.visibility import by_hidden_authors, viewer_of, visible
from django_stream.backends import get_client
from django_stream.client import Feed
from django_stream.client.encoding import plain
from django_stream.client.exceptions import FeedConfigException
from django_stream.conf import stream_settings
from django_stream.database.querysets import all_rows
from django_stream.operations.comparison import activity_state
from django_stream.operations.verify import inspection_of_home
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import parse_time
from django_stream.publishing.drain import spoken_as_the_site
from django_stream.publishing.models import OutboxEntry, Publication
from django_stream.publishing.one_by_one import desired_state
from django_stream.publishing.publisher import Desired, publishers_of

_PAGES = 10


@dataclass(frozen=True, slots=True)
class Reason:
    """One step from the row to the feed."""

    about: str
    text: str
    stops: bool = False
    """Whether this is why it is not there."""


def explain(row: models.Model, feed_id: str) -> Iterator[Reason]:
    """Why a row is in a feed or is not: the steps from the row to the feed.

    They end with one that has `stops` where something keeps it out. ValueError for a text that is no feed id.
    """
    FeedID.parse(feed_id)
    return explain_row(type(row), row.pk, feed_id, row._state.db or DEFAULT_DB_ALIAS)


def explain_row(model: type[models.Model], pk: Any, feed_id: str, using: str = "default") -> Iterator[Reason]:
    """From the row to the feed, step by step, until something keeps it out."""
    tracked = [one for one in publishers_of(model) if isinstance(one, ActivityPublisher)]
    if not tracked:
        yield Reason("row", f"{model._meta.label} is not tracked as activities", stops=True)
        return
    publisher, key = tracked[0], pk_text(pk)
    yield from _delivery(publisher.label, key, using)
    if not all_rows(model, using).filter(pk=pk).exists():
        yield Reason("row", "the table has no such row", stops=True)
        return
    with spoken_as_the_site():
        desired = desired_state(publisher, [key], using).get(key)
    if isinstance(desired, Exception):
        yield Reason("row", f"it cannot be published: {desired}", stops=True)
    elif desired is None:
        yield Reason("row", _why_unpublished(publisher), stops=True)
    else:
        yield from _in_feed(desired, feed_id)
        yield from _hidden(model, pk, feed_id, using)


def _hidden(model: type[models.Model], pk: Any, feed_id: str, using: str) -> Iterator[Reason]:
    """Whether the user whose feed it is may see the row."""
    feed = FeedID.parse(feed_id)
    if feed.slug not in (*stream_settings.news_feeds.values(), stream_settings.NOTIFICATION_FEED):
        return
    viewer = viewer_of(OwnerID(feed.user_id))
    rows = list(visible(viewer, model._default_manager.using(using).filter(pk=pk)))
    if not rows or by_hidden_authors(viewer, rows):
        yield Reason("viewer", "its owner may not see it: visible_to, a mute or a block", stops=True)


def _why_unpublished(publisher: ActivityPublisher) -> str:
    condition = publisher.declaration.should_publish
    if isinstance(condition, str):
        return f"it does not publish: {condition} is false"
    return "it does not publish: activity_should_publish is false, nobody is told, or a manager hides it"


def _delivery(label: str, key: str, using: str) -> Iterator[Reason]:
    """What the outbox and the ledger say."""
    entries = OutboxEntry.objects.using(using).filter(model_label=label, object_key=key)
    for entry in entries.order_by("pk"):
        state = "is parked" if entry.parked_at else f"waits until {entry.due_at:%Y-%m-%d %H:%M:%S}"
        reason = f": {entry.reason}" if entry.reason else ""
        yield Reason("outbox", f"a change {state} after {entry.attempts} failures{reason}")
    row = Publication.objects.using(using).filter(model_label=label, object_key=key).first()
    if row is None:
        yield Reason("ledger", "it was never published, or has been taken out")
    else:
        feeds = ", ".join(dict.fromkeys(record["feed"] for record in row.records))
        doubt = f"; how {row.attempts} attempts ended is not known yet" if row.attempts else ""
        yield Reason("ledger", f"published to {feeds}{doubt}")


def _in_feed(desired: Desired, feed_id: str) -> Iterator[Reason]:
    record, feed = desired.records[0], get_client().feed(feed_id)
    identity = str(activity_id(parse_time(record["time"]), record["foreign_id"]))
    stored = get_client().get_activities(ids=[identity])["results"]
    if not stored:
        yield Reason("activity", f"the API has no activity {identity}: run stream_repair", stops=True)
        return
    is_current = activity_state(plain(stored[0])) == activity_state(desired.content)
    state = "as the row says now" if is_current else "not as the row says now: run stream_repair"
    yield Reason("activity", f"{identity} is there, {state}")
    paths = list(_paths(record, feed_id, feed))
    yield from paths
    if any(path.stops for path in paths):
        return
    yield from (Reason("way", text) for text in _ways(feed_id, identity))
    yield from _place(feed, identity, has_path=bool(paths))


def _paths(record: dict[str, Any], feed_id: str, feed: Feed) -> Iterator[Reason]:
    """How it should come to this feed."""
    if record["feed"] == feed_id:
        yield Reason("path", "this is the feed of its actor")
    if feed_id in record["to"]:
        yield Reason("path", "its `to` names this feed")
    try:
        followed = feed.following(limit=500, feeds=[record["feed"], *record["to"]])["results"]
    except FeedConfigException as error:
        yield Reason("feed", str(error), stops=True)
        return
    for one in followed:
        yield Reason("path", f"this feed follows {one['target_id']} since {one['created_at']:%Y-%m-%d %H:%M}")


def _ways(feed_id: str, identity: str) -> Iterator[str]:
    inspection = inspection_of_home()
    yield from inspection.ways(feed_id, identity) if inspection is not None else ()


def _place(feed: Feed, identity: str, *, has_path: bool) -> Iterator[Reason]:
    """Where it stands, if it is there."""
    for number, item, group in _items(feed):
        if item["id"] == identity:
            where = f"entry {number}" if group is None else f"group {number}, {group['group']!r}"
            marks = "".join(
                f", {name[3:]}" if group[name] else f", not {name[3:]}"
                for name in ("is_seen", "is_read")
                if group is not None and name in group
            )
            yield Reason("place", f"it is in the feed: {where}{marks}")
            return
    if not has_path:
        yield Reason("place", "nothing brings it here: no follow, and no `to`", stops=True)
        return
    limit = stream_settings.ACTIVITY_COPY_LIMIT
    yield Reason(
        "place",
        f"it is not among the newest entries: taken off this feed, older than the follow and than the newest "
        f"{limit} that a follow copies, still on its way to many followers, or far down",
        stops=True,
    )


def _items(feed: Feed) -> Iterator[tuple[int, Any, Any]]:
    """The activities of the first pages, each with its place and with its group in a grouped feed."""
    number, after = 0, dict[str, Any]()
    for _ in range(_PAGES):
        page = feed.get(limit=100, **after)["results"]
        for item in page:
            number += 1
            if "activities" in item:
                yield from ((number, one, item) for one in item["activities"])
            else:
                yield number, item, None
        if len(page) < 100:
            return
        after = {"id_lt": page[-1]["id"]}


class FeedItem(NamedTuple):
    """An activity of a feed, what brought it there, and the row that it is of."""

    text: str
    reason: str
    foreign_id: str


def explain_feed(feed_id: str, limit: int = 25) -> Iterator[FeedItem]:
    """What is in a feed, and why, newest first."""
    feed = get_client().feed(feed_id)
    for number, item, group in _items(feed):
        if number > limit:
            return
        name = f"{item['actor']} {item['verb']} {item['object']}"
        ways = list(_ways(feed_id, item["id"])) or [_origin(item, feed_id)]
        grouped = f" (group {group['group']!r})" if group is not None else ""
        yield FeedItem(f"{number}. {name}{grouped}", "; ".join(ways), str(item.get("foreign_id") or ""))


def _origin(item: Any, feed_id: str) -> str:
    if item.get("origin"):
        return f"{item['origin']} brought it, which this feed follows"
    return "its `to` names this feed" if feed_id in item.get("to", ()) else "it was put on this feed itself"


def is_feed_id(text: str) -> bool:
    """Whether a text names a feed."""
    try:
        FeedID.parse(text)
    except ValueError:
        return False
    return True
