"""`{% load social %}`: how people, times and groups of activities are shown."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.formats import date_format

from django_stream import feeds
from example_project.social.models import Follow

register = template.Library()

HUES = 24
_WORD = re.compile(r"\w+")


# Messages are shown once, to somebody: not to a script that looks for news, or a browser that reads ahead.
register.filter("in_background", feeds.in_background)


@register.filter
def display_name(person: User) -> str:
    return person.get_full_name() or person.get_username()


@register.filter
def initials(person: User) -> str:
    """The first letters of the first and the last word of a name."""
    words = _WORD.findall(display_name(person)) or ["?"]
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


@register.filter
def hue(person: User) -> int:
    """One of the style sheet's colours, the same for a person on every page."""
    return zlib.crc32(person.get_username().encode()) * HUES >> 32


@register.filter
def ago(moment: datetime) -> str:
    """How long ago in few letters; a date where it is more than a week."""
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 60:
        return "now"
    for limit, length, unit in ((3600, 60, "min"), (86400, 3600, "h"), (7 * 86400, 86400, "d")):
        if seconds < limit:
            return f"{seconds // length:.0f} {unit}"
    return date_format(timezone.localtime(moment), "j M Y")


@register.filter
def web_address(text: str) -> str:
    """An address of the web or of this site; nothing for "javascript:" and the like."""
    return text if re.match(r"https?://|/(?!/)", text) else ""


@register.filter
def waiting(group: Mapping[str, Any]) -> list[Any]:
    """Those activities of a group of follows that wait for an answer."""
    return [one for one in _follows(group) if not one["object"].is_accepted]


@register.filter
def let_in(group: Mapping[str, Any]) -> list[User]:
    """The people of a group of follows who wait for nothing."""
    return [one["actor"] for one in _follows(group) if one["object"].is_accepted]


def _follows(group: Mapping[str, Any]) -> list[Any]:
    # Other programs may have put anything by that verb on the feed.
    return [one for one in group["activities"] if isinstance(one["object"], Follow)]


@register.filter
def less(count: int, some: list[Any]) -> int:
    return count - len(some)


@register.filter
def actors(group: Mapping[str, Any]) -> list[User]:
    """Everybody who acts in a group, the latest first."""
    return list(dict.fromkeys(activity["actor"] for activity in group["activities"]))
