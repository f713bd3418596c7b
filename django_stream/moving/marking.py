"""Marking notifications as they were marked before: groups of which everything was seen or read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django_stream.client import Feed
from django_stream.protocol import limits
from django_stream.protocol.wire import members

Group = dict[str, Any]
WasMarked = Callable[[Sequence[Group]], list[bool]]
"""Which of some groups were marked."""


def mark(feed: Feed, seen: WasMarked, read: WasMarked) -> int:
    """Mark the groups of a feed, page by page; returns how many changed."""
    changed = 0
    for groups in _pages(feed):
        ids: dict[str, list[str]] = {}
        for name, was, now in (("mark_seen", seen, "is_seen"), ("mark_read", read, "is_read")):
            fresh = [group for group in groups if not group[now]]
            marked = zip(fresh, was(fresh), strict=True) if fresh else ()
            if some := [group["id"] for group, is_marked in marked if is_marked]:
                ids[name] = some
        if ids:
            feed.get(limit=1, mark_seen=ids.get("mark_seen"), mark_read=ids.get("mark_read"))
            changed += len(set().union(*ids.values()))
    return changed


def whole(group: Group, were: set[Any]) -> bool:
    """Whether all of a group is among `were`; the API does not list all members of a large one."""
    known = members(group)
    return len(known) == group["activity_count"] and all(one["foreign_id"] in were for one in known)


def _pages(feed: Feed) -> Iterator[list[Group]]:
    place: dict[str, Any] = {}
    while groups := feed.get(limit=limits.PAGE_MAX, **place)["results"]:
        yield [dict(group) for group in groups]
        place = {"id_lt": groups[-1]["id"]}
