"""Follows as the API lists them: page after page, and the newest 500 of a feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django_stream.protocol import limits


def listed_follows(read: Callable[..., Any]) -> Iterator[Any]:
    """What `feed.following` or `feed.followers` reaches, newest first."""
    for offset in range(0, limits.FOLLOW_REACHABLE, limits.FOLLOW_PAGE):
        page = read(limit=limits.FOLLOW_PAGE, offset=offset)["results"]
        yield from page
        if len(page) < limits.FOLLOW_PAGE:
            return
