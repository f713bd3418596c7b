"""What is refused before anything is sent, each time naming the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django_stream.client.exceptions import ValidationError
from django_stream.protocol import feed_ids, limits
from django_stream.protocol.activity_fields import NEVER_SET, NEVER_UNSET
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.suggestions import similar_names

REQUIRED_FIELDS = ("actor", "verb", "object")


def validate_feed_slug(feed_slug: object) -> str:
    """The slug as text, or a ValidationError."""
    return _refused_as("feed_slug", feed_ids.validate_feed_slug, feed_slug)


def validate_user_id(user_id: object) -> str:
    """The feed's user id as text, or a ValidationError."""
    return _refused_as("user_id", feed_ids.validate_user_id, user_id)


def validate_feed_id(feed_id: object) -> str:
    """A feed id such as 'user:1', or a ValidationError."""
    return _refused_as(
        "feed_id", feed_ids.validate_feed_id, feed_id if isinstance(feed_id, FeedID) else str(feed_id)
    )


def _refused_as(field: str, check: Any, value: object) -> str:
    try:
        return str(check(value))
    except ValueError as error:
        raise ValidationError(str(error), field) from None


def segment(value: object, field: str) -> str:
    """An id as one piece of a path; anything that would lead elsewhere is refused."""
    text = str(value)
    if not text or text in (".", "..") or "/" in text:
        raise ValidationError(f"{field} {text!r} cannot be part of a path", field)
    return text


def path_tail(value: object, field: str) -> str:
    """An id as the rest of a path: slashes and dots are its own, since nobody resolves them."""
    text = str(value)
    if not text:
        raise ValidationError(f"{field} must not be empty", field)
    return text


def listed(value: Any, field: str) -> list[Any]:
    """A list of the caller's items; text and mappings are no lists."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise ValidationError(f"{field} must be a list, not {type(value).__name__}", field)
    return list(value)


def at_most(items: Sequence[Any], limit: int, field: str) -> None:
    if len(items) > limit:
        raise ValidationError(f"{field} holds {len(items)} entries; at most {limit} are allowed", field)


def activity(data: Any, where: str = "activity") -> dict[str, Any]:
    """A copy of an activity to send, with its `to` targets checked."""
    if not isinstance(data, Mapping):
        raise ValidationError(f"{where} must be a mapping, not {type(data).__name__}", where)
    for name in REQUIRED_FIELDS:
        if data.get(name) in (None, ""):
            raise ValidationError(f"{where} lacks {name!r}", name)
    copy = dict(data)
    if copy.get("to"):
        copy["to"] = feed_list(copy["to"], "to", limits.TARGETS_PER_ACTIVITY)
    elif copy.get("to") is not None and not isinstance(copy["to"], list):
        copy["to"] = listed(copy["to"], "to")
    return copy


def feed_list(value: Any, field: str, limit: int | None = None) -> list[str]:
    """Feed ids; a legacy token behind one stays where it is."""
    feeds = listed(value, field)
    if limit is not None:
        at_most(feeds, limit, field)
    return [_feed_entry(feed, field) for feed in feeds]


def _feed_entry(feed: Any, field: str) -> str:
    try:
        text = (
            feed
            if isinstance(feed, str)
            else str(FeedID.parse(feed) if isinstance(feed, FeedID) else feed.id)
        )
        FeedID.parse(text)
    except (ValueError, AttributeError):
        raise ValidationError(
            f"{field} holds {feed!r}, which is no feed id such as 'user:1'", field
        ) from None
    return text


def identified(data: Mapping[str, Any]) -> bool:
    """Whether sending this activity twice means the same as once."""
    return bool(data.get("foreign_id")) and data.get("time") is not None


def copy_limit(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limits.COPY_LIMIT_MAX:
        message = f"activity_copy_limit must be a number from 0 to {limits.COPY_LIMIT_MAX}, not {value!r}"
        raise ValidationError(message, "activity_copy_limit")
    return value


def page_number(value: Any, field: str, limit: int | None = None) -> None:
    if value is None:
        return
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < 0
        or (limit is not None and value > limit)
    ):
        upto = f"from 0 to {limit}" if limit is not None else "not below 0"
        raise ValidationError(f"{field} must be a number {upto}, not {value!r}", field)


def change(data: Any) -> dict[str, Any]:
    """One partial update: addressed once, with at most 25 keys each and no key in both."""
    if not isinstance(data, Mapping):
        raise ValidationError(f"an update must be a mapping, not {type(data).__name__}", "changes")
    _addressed_once(data)
    sets, unsets = data.get("set") or {}, data.get("unset") or []
    if not isinstance(sets, Mapping):
        raise ValidationError("set must be a mapping of fields to values", "set")
    unsets = listed(unsets, "unset")
    for keys, field, forbidden in ((sets, "set", NEVER_SET), (unsets, "unset", NEVER_UNSET)):
        at_most(list(keys), limits.KEYS_PER_CHANGE, field)
        if reserved := sorted(forbidden.intersection(keys)):
            raise ValidationError(f"{field} names {reserved[0]!r}, which cannot be changed so", field)
    _no_collision(sets, unsets)
    return dict(data)


def _addressed_once(data: Mapping[str, Any]) -> None:
    by_id = data.get("id") is not None
    pair = [data.get("foreign_id"), data.get("time")]
    if by_id and pair != [None, None]:
        raise ValidationError("give either id, or foreign_id and time, not both", "id")
    if not by_id and None in pair:
        raise ValidationError("give id, or foreign_id and time", "id")


def _no_collision(sets: Iterable[str], unsets: Iterable[str]) -> None:
    for one in sets:
        for other in unsets:
            # 'a' holds 'a.b': what remains would depend on the order.
            if one == other or one.startswith(f"{other}.") or other.startswith(f"{one}."):
                raise ValidationError(f"set names {one!r} and unset names {other!r}: they collide", "unset")


def known_keys(given: Iterable[str], known: Iterable[str], field: str) -> None:
    names = sorted(known)
    for name in given:
        if name not in names:
            near = " or ".join(map(repr, similar_names(name, names)))
            meant = f"did you mean {near}?" if near else f"there are {', '.join(names)}"
            raise ValidationError(f"{field} has no {name!r}; {meant}", field)
