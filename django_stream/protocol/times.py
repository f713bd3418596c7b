"""Times on the wire: activities carry UTC microseconds without zone, other objects RFC 3339 with Z."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta, timezone

_INPUT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?"
    r"\s?(?P<zone>Z|z|[+-]\d\d:?\d\d)?)?"
)


def format_activity_time(moment: datetime) -> str:
    """`2018-12-21T09:45:42.455925`: UTC, always six fraction digits, no zone."""
    return as_utc(moment).replace(tzinfo=None).isoformat(timespec="microseconds")


def format_rfc3339(moment: datetime) -> str:
    """`2018-12-27T13:02:03.013191Z`: UTC with a zone."""
    return format_activity_time(moment) + "Z"


def as_utc(moment: datetime) -> datetime:
    """Naive times are UTC on this wire."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_time(value: object) -> datetime:
    """Read every form the clients send, truncated to microseconds; ValueError otherwise."""
    if isinstance(value, datetime):
        return as_utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    match = _INPUT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a time such as 2026-01-31T12:00:00.000000")
    microsecond = int((match["fraction"] or "0").ljust(6, "0")[:6])
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['clock'] or '00:00:00'}")
        return moment.replace(microsecond=microsecond, tzinfo=_zone(match["zone"])).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{value!r} is no time of the calendar: {error}") from error


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def now_in_microseconds() -> int:
    """This moment, in microseconds since 1970."""
    return time.time_ns() // 1000
