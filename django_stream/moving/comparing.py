"""Before anything is sent: would the activities of a model be those that the feeds hold already?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.client import StreamClient
from django_stream.client.exceptions import FeedConfigException
from django_stream.database.batches import batched
from django_stream.database.querysets import all_rows
from django_stream.protocol import limits
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import as_utc, parse_time
from django_stream.protocol.wire import members
from django_stream.publishing.one_by_one import undigested_state
from django_stream.publishing.publisher import Desired

Activity = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """What an activity is there and would be here, so that it would be doubled."""

    name: str
    """`foreign_id`, `time` or `feed`."""
    there: str
    here: str


@dataclass(slots=True)
class Comparison:
    """The newest rows of a model, compared with the API."""

    label: str
    found: int = 0
    absent: int = 0
    """Rows of which the API knows nothing."""
    failed: Counter[str] = field(default_factory=Counter)
    """Rows that cannot be published, by the reason."""
    differences: list[Difference] = field(default_factory=list)

    def __iadd__(self, other: Comparison) -> Comparison:
        self.found += other.found
        self.absent += other.absent
        self.failed += other.failed
        self.differences += other.differences
        return self


def compare(publisher: ActivityPublisher, client: StreamClient, using: str, sample: int) -> Comparison:
    """Look for the activities of the newest rows by foreign id and time, and for others in their place."""
    result = Comparison(publisher.model._meta.label)
    rows = all_rows(publisher.model, using).order_by("-pk")
    keys = list(publisher.keys_where(rows.filter(pk__in=list(rows.values_list("pk", flat=True)[:sample]))))
    wanted: list[Desired] = []
    for value in undigested_state(publisher, keys, using).values():
        if isinstance(value, Desired):
            wanted.append(value)
        else:
            result.failed[str(value)] += 1
    there = _by_id(client, map(_id, wanted))
    newest = cache(lambda feed: _newest(client, feed))
    for one in wanted:
        known = there.get(_id(one))
        try:
            difference = _difference(one, known, newest(one.records[0]["feed"]))
        except FeedConfigException as error:
            result.failed[str(error)] += 1
            continue
        if difference:
            result.differences.append(difference)
        elif known:
            result.found += 1
        else:
            result.absent += 1
    return result


def _id(wanted: Desired) -> str:
    """By foreign id and time; a list of foreign ids could not hold those with a comma."""
    return str(activity_id(parse_time(wanted.content["time"]), wanted.content["foreign_id"]))


def _time(activity: Activity) -> str:
    time = activity["time"]
    return as_utc(parse_time(time) if isinstance(time, str) else time).isoformat()


def _by_id(client: StreamClient, ids: Iterable[str]) -> dict[str, Activity]:
    found: dict[str, Activity] = {}
    for some in batched(ids, limits.ACTIVITIES_PER_REQUEST):
        found |= {one["id"]: one for one in client.get_activities(ids=some)["results"]}
    return found


def _newest(client: StreamClient, feed: str) -> list[Activity]:
    name = FeedID.parse(feed)
    page = client.feed(name.slug, name.user_id).get(limit=limits.PAGE_MAX)
    return [activity for entry in page["results"] for activity in members(entry)]


def _difference(wanted: Desired, known: Activity | None, newest: list[Activity]) -> Difference | None:
    content, feed = wanted.content, wanted.records[0]["feed"]
    if known is not None:
        in_feed = any(one["id"] == known["id"] for one in newest)
        if in_feed or len(newest) >= limits.PAGE_MAX:
            return None
        return Difference("feed", "another feed", feed)
    for name, there, here in _likely(content, newest):
        return Difference(name, there, here)
    return None


def _likely(content: Activity, newest: list[Activity]) -> Iterator[tuple[str, str, str]]:
    """Activities that differ in one half of the identity alone, and are the same in all else that counts."""
    for one in newest:
        if one["verb"] != content["verb"] or one["actor"] != content["actor"]:
            continue
        if _time(one) == _time(content):
            yield "foreign_id", one["foreign_id"], content["foreign_id"]
        elif one["foreign_id"] == content["foreign_id"]:
            yield "time", _time(one), _time(content)
