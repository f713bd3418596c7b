"""Draining by hand, capturing what would be sent, and asserting what feeds hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Max

from django_stream import signals
from django_stream.activities.model_references import as_reference
from django_stream.activities.owners import feed_id
from django_stream.backends import get_client
from django_stream.models import OutboxEntry
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.wire import members
from django_stream.publishing.drain import drain, spoken_as_the_site
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.publisher import Desired, publisher_for
from django_stream.publishing.report import DrainReport


@dataclass(frozen=True, slots=True)
class CapturedActivity:
    """What one changed object would be in the feeds; `activity` is None for an object that is gone."""

    model: str
    key: str
    feed: str | None
    activity: dict[str, Any] | None


def drain_outbox(using: str = DEFAULT_DB_ALIAS) -> DrainReport:
    """Publish what is due in one database; raises the first failure instead of keeping it for a retry."""
    failures: list[Exception] = []

    def remember(reasons: dict[str, Exception], **_: Any) -> None:
        failures.extend(reasons.values())

    for signal in (signals.changes_failed, signals.changes_parked):
        signal.connect(remember, dispatch_uid="django_stream.testing")
    try:
        report = drain(using)
    finally:
        for signal in (signals.changes_failed, signals.changes_parked):
            signal.disconnect(dispatch_uid="django_stream.testing")
    if failures:
        raise failures[0]
    return report


@contextmanager
def captured_activities(using: str = DEFAULT_DB_ALIAS) -> Iterator[list[CapturedActivity]]:
    """What the changes inside the block would publish, in their order; nothing is sent, commits or not.

    The list is filled when the block ends. A row without actor, verb, object or time raises there.
    """
    captured: list[CapturedActivity] = []
    last = OutboxEntry.objects.using(using).aggregate(last=Max("id"))["last"] or 0
    with nudges_held():
        yield captured
    entries = OutboxEntry.objects.using(using).filter(id__gt=last).order_by("id")
    objects = dict.fromkeys(entries.values_list("model_label", "object_key"))
    with spoken_as_the_site():
        captured += [found for label, key in objects if (found := _capture(label, key, using))]


def _capture(label: str, key: str, using: str) -> CapturedActivity | None:
    publisher = publisher_for(label)
    if publisher is None or publisher.kind:
        return None
    desired = publisher.desired([key], using).get(key)
    if isinstance(desired, Exception):
        raise desired
    if isinstance(desired, Desired):
        return CapturedActivity(label, key, desired.records[0]["feed"], desired.content)
    return CapturedActivity(label, key, None, None)


def assert_published(feed: Any, slug: str = "user", **expected: Any) -> dict[str, Any]:
    """Drain, and return the newest activity of a feed that has these values; AssertionError when none has.

    A value may be an instance: its reference is meant.
    `feed` is a feed id, a feed, or an instance whose feed in the group `slug` is meant.
    """
    drain_outbox()
    found = _matching(feed, slug, expected)
    assert found, f"no activity with {expected} in {_name(feed, slug)}; it holds {_read(feed, slug)}"
    return found[0]


def assert_not_published(feed: Any, slug: str = "user", **expected: Any) -> None:
    """Drain, and fail when a feed holds an activity with these values."""
    drain_outbox()
    found = _matching(feed, slug, expected)
    assert not found, f"{_name(feed, slug)} holds {found[0]}"


class StreamAssertions:
    """The same as methods, to mix into a unittest TestCase."""

    def assertPublished(self, feed: Any, slug: str = "user", **expected: Any) -> dict[str, Any]:
        return assert_published(feed, slug, **expected)

    def assertNotPublished(self, feed: Any, slug: str = "user", **expected: Any) -> None:
        assert_not_published(feed, slug, **expected)


def _matching(feed: Any, slug: str, expected: dict[str, Any]) -> list[dict[str, Any]]:
    expected = {
        name: as_reference(value) if isinstance(value, models.Model) else value
        for name, value in expected.items()
    }
    return [
        activity
        for activity in _read(feed, slug)
        if all(name in activity and activity[name] == value for name, value in expected.items())
    ]


def _read(feed: Any, slug: str) -> list[dict[str, Any]]:
    name = FeedID.parse(_name(feed, slug))
    results = get_client().feed(name.slug, name.user_id).get(limit=limits.PAGE_MAX)["results"]
    return [dict(member) for entry in results for member in members(entry)]


def _name(feed: Any, slug: str) -> str:
    if isinstance(feed, str):
        return feed
    return str(feed_id(slug, feed)) if hasattr(feed, "pk") else str(feed.id)
