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

register = template.Library()

HUES = 24
_WORD = re.compile(r"\w+")


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
def actors(group: Mapping[str, Any]) -> list[User]:
    """Everybody who acts in a group, the latest first."""
    return list(dict.fromkeys(activity["actor"] for activity in group["activities"]))


@register.simple_tag
def unseen_count(person: User) -> int:
    """For the badge of the bell."""
    return feeds.unseen(person)
