"""Activities as clients send them, checked and completed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django_stream.protocol import activity_ids, limits
from django_stream.protocol.activity_fields import ADDED
from django_stream.protocol.errors import invalid
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import parse_time
from django_stream.server.content import check_values, size_of
from django_stream.server.feed_groups import groups_of, not_configured
from django_stream.server.feed_store import within_length

REQUIRED = ("actor", "verb", "object")
_STANDARD = frozenset({*REQUIRED, "target", "foreign_id", "time", "to"})


@dataclass(frozen=True, slots=True)
class ActivityInput:
    """An activity ready to be stored."""

    key: uuid.UUID
    actor: str
    verb: str
    object: str
    target: str
    foreign_id: str
    to: tuple[str, ...]
    extra: Mapping[str, Any]


def activity_inputs(
    items: Sequence[Any], application_id: int, *, identified: bool = False
) -> list[ActivityInput]:
    """Check a list of activities; errors name the field.

    With `identified`, each must have foreign_id and time, as in updates.
    """
    # Later items of a batch without times are newer.
    now = datetime.now(UTC)
    moments = [now + timedelta(microseconds=index) for index in range(len(items))]
    return [
        _activity_input(item, moment, application_id, identified)
        for item, moment in zip(items, moments, strict=True)
    ]


def _activity_input(item: Any, now: datetime, application_id: int, identified: bool) -> ActivityInput:
    if not isinstance(item, dict):
        raise invalid("an activity must be a JSON object", "activity")
    check_size(item)
    texts = {name: text_of(item, name) for name in (*REQUIRED, "target", "foreign_id")}
    for name in REQUIRED:
        if not texts[name]:
            raise invalid(f"{name} is required and must not be empty", name)
    if identified and not (texts["foreign_id"] and item.get("time")):
        missing = "time" if texts["foreign_id"] else "foreign_id"
        raise invalid(f"{missing} is required: foreign_id and time identify an activity", missing)
    extra = {name: value for name, value in item.items() if name not in _STANDARD and name not in ADDED}
    return ActivityInput(
        key=_key_of(item, texts, extra, now),
        to=targets_of(item.get("to"), application_id, "to"),
        extra=extra,
        **texts,
    )


def check_size(item: Mapping[str, Any]) -> None:
    """Refuse an activity that is nested too deep or has too many bytes."""
    check_values(item)
    size = size_of(item)
    if size > limits.ACTIVITY_BYTES:
        raise invalid(f"an activity may have at most {limits.ACTIVITY_BYTES} bytes, not {size}", "activity")


def text_of(item: Mapping[str, Any], name: str) -> str:
    """A text field; numbers become text, null and absence the empty string."""
    value = item.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid(f"{name} must be text", name)
    text = str(value)
    if len(text.encode()) > limits.TEXT_BYTES:
        raise invalid(f"{name} may have at most {limits.TEXT_BYTES} bytes", name)
    return text


def moment_of(value: Any, name: str = "time") -> datetime:
    """A time of the wire within the range of activity ids."""
    try:
        moment = parse_time(value)
        activity_ids.ticks_of(moment)
    except ValueError as error:
        raise invalid(str(error), name) from error
    return moment


def key_of(foreign_id: str, moment: datetime) -> uuid.UUID:
    """The key of the activity that (foreign_id, time) identify."""
    return activity_ids.sort_key_of(moment, foreign_id)


def key_of_id(value: Any, name: str = "id") -> uuid.UUID:
    """The key of an activity id as clients send it."""
    key = key_or_none(value)
    if key is None:
        raise invalid(f"{name} must be an activity id, not {value!r}", name)
    return key


def key_or_none(value: Any) -> uuid.UUID | None:
    """The key of an activity id; None for any other value."""
    try:
        return activity_ids.sort_key(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        return None


def targets_of(value: Any, application_id: int, name: str) -> tuple[str, ...]:
    """A list of feed ids of configured groups, without doubles and without legacy tokens."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list of feed ids", name)
    if len(value) > limits.TARGETS_PER_ACTIVITY:
        raise invalid(f"{name} may hold at most {limits.TARGETS_PER_ACTIVITY} feeds, not {len(value)}", name)
    feeds = [feed_id_of(item, name) for item in value]
    check_configured(feeds, application_id)
    return tuple(dict.fromkeys(str(feed) for feed in feeds))


def feed_id_of(value: Any, name: str) -> FeedID:
    """A feed id as clients send it."""
    try:
        feed = FeedID.parse(value)
    except ValueError as error:
        raise invalid(str(error), name) from error
    return within_length(feed, name)


def check_configured(feeds: Sequence[FeedID], application_id: int) -> None:
    """Refuse feeds whose group the application does not have."""
    configured = groups_of(application_id)
    unknown = [feed.slug for feed in feeds if feed.slug not in configured]
    if unknown:
        raise not_configured(*unknown)


def _key_of(item: Mapping[str, Any], texts: Mapping[str, str], extra: Any, now: datetime) -> uuid.UUID:
    is_timed = item.get("time") not in (None, "")
    moment = moment_of(item["time"]) if is_timed else now
    if texts["foreign_id"]:
        # Also at the server's time: a client that sends the answer back means this activity.
        return key_of(texts["foreign_id"], moment)
    if not is_timed:
        return activity_ids.sort_key(activity_ids.random_activity_id(now))
    # Without a foreign_id the content stands in: the same post on two feeds is one activity.
    content = json.dumps([texts, extra], sort_keys=True, ensure_ascii=False)
    return key_of(content, moment)
