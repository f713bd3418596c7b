"""Who follows whom, as rows of the site."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import models

from django_stream.activities.ids import from_wire_id
from django_stream.activities.model_references import Reference, clean_pk, concrete, object_id_of
from django_stream.activities.owners import feed_id, parse_owner_id
from django_stream.activities.visibility import viewer_of, visible
from django_stream.client import Feed
from django_stream.conf import stream_settings
from django_stream.database.batches import batched
from django_stream.database.failures import or_else
from django_stream.feeds.event_loop import refuse_event_loop
from django_stream.feeds.manager import feed_manager
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID

logger = logging.getLogger("django_stream.feeds")


@dataclass(frozen=True, slots=True)
class People:
    """A page of people (or whatever else owns feeds), the newest follow first; `next` as of a feed's page."""

    people: list[Any]
    next: str | None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, index: int) -> Any:
        return self.people[index]


@dataclass(frozen=True, slots=True)
class PeopleReader:
    """Reads who follows a feed, or whom a feed follows, as `viewer` may see them."""

    feed: Feed
    side: Literal["followers", "following"]
    viewer: Any = None

    def page(self, limit: int = 25, cursor: str | None = None) -> People:
        """Up to `limit` (1 to 100) of the 500 newest, which is all that the API tells.

        ValueError for a wrong limit, or for a cursor that is no `next` of such a page.
        """
        if not isinstance(limit, int) or not 1 <= limit <= limits.PAGE_MAX:
            raise ValueError(f"limit must be a number from 1 to {limits.PAGE_MAX}, not {limit!r}")
        offset = _offset(cursor)
        refuse_event_loop("reading follows", "….apage()")
        # Each of the news feeds follows, and one of them stands for the person.
        asked = min(limit * len(stream_settings.news_feeds), limits.FOLLOW_REACHABLE - offset)
        answer = getattr(self.feed, self.side)(offset=offset, limit=asked)["results"] if asked > 0 else []
        owners: dict[str, None] = {}
        used = 0
        while used < len(answer) and len(owners) < limit:
            owners |= dict.fromkeys(self._owners(answer[used]))
            used += 1
        end = offset + used
        more = used < len(answer) or len(answer) == asked
        there = used > 0 and more and end <= limits.FOLLOW_OFFSET_MAX
        return People(_rows_of(owners, self.viewer), str(end) if there else None)

    async def apage(self, limit: int = 25, cursor: str | None = None) -> People:
        """`page` for asynchronous views."""
        return await sync_to_async(self.page)(limit, cursor)

    def count(self) -> int:
        """How many there are, up to 10,000, whoever looks."""
        refuse_event_loop("counting follows", "….acount()")
        slugs: Any = {f"{self.side}_slugs": [_slug_of(self.side)]}
        stats: Any = self.feed.client.follow_stats(self.feed.id, **slugs)
        return int(stats["results"][self.side]["count"])

    async def acount(self) -> int:
        """`count` for asynchronous views."""
        return await sync_to_async(self.count)()

    def _owners(self, follow: Mapping[str, Any]) -> Iterable[str]:
        name = FeedID.parse(follow["feed_id" if self.side == "followers" else "target_id"])
        return [name.user_id] if name.slug == _slug_of(self.side) else []


def followers(user: Any, viewer: Any = None) -> PeopleReader:
    """Those who follow a user, or another owner of feeds; hidden from `viewer` is who may not be seen."""
    return PeopleReader(feed_manager.get_user_feed(user), "followers", viewer)


def following(user: Any, viewer: Any = None) -> PeopleReader:
    """Those whom a user follows."""
    return PeopleReader(feed_manager.get_feed(_slug_of("followers"), user), "following", viewer)


def is_following(user: Any, others: Any) -> Any:
    """Whether a user follows another: True or False; of a list, a dictionary with the answer for each.

    One call, whatever the length of the list. Visitors follow nobody.
    """
    several = isinstance(others, list | tuple | set | frozenset | models.QuerySet)
    refuse_event_loop("asking who follows whom", "ais_following(…)")
    if not several:
        name = str(feed_id(stream_settings.USER_FEED, others))
        return getattr(user, "pk", user) is not None and name in _followed(user, [name])
    asked = list(others)
    names = {one: found for one in asked if (found := _feed_of(one)) is not None}
    followed = set() if getattr(user, "pk", user) is None else _followed(user, list(names.values()))
    return {one: names.get(one) in followed for one in asked}


async def ais_following(user: Any, others: Any) -> Any:
    """The same for asynchronous views."""
    return await sync_to_async(is_following)(user, others)


def _feed_of(owner: Any) -> str | None:
    """The feed by which an owner of a list is followed; None where its own code names none."""
    read, message = partial(feed_id, stream_settings.USER_FEED, owner), "nobody can follow %r"
    found = or_else(None, read, logger, message, getattr(owner, "pk", owner))
    return None if found is None else str(found)


def _followed(user: Any, names: Sequence[str]) -> set[str]:
    feed = feed_manager.get_feed(_slug_of("followers"), user)
    found: set[str] = set()
    for some in batched(names, limits.FOLLOW_PAGE_MAX):
        found |= {one["target_id"] for one in feed.following(limit=len(some), feeds=some)["results"]}
    return found


def _slug_of(side: str) -> str:
    """The group of the feeds at the other end: who follows does so by news feeds."""
    return (
        next(iter(stream_settings.news_feeds.values())) if side == "followers" else stream_settings.USER_FEED
    )


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and int(cursor[:4]) <= limits.FOLLOW_OFFSET_MAX):
        raise ValueError(f"{cursor!r} is no `next` of a page of people")
    return int(cursor[:4])


def _rows_of(owner_ids: Iterable[str], viewer: Any) -> list[Any]:
    """The rows with these names, in order, as far as they are there and the viewer may see them."""
    wanted = {text: _reference(text) for text in owner_ids}
    by_model: dict[type[models.Model], list[Any]] = defaultdict(list)
    for model, object_id in wanted.values():
        by_model[model].append(clean_pk(model, object_id))
    found: dict[Reference, Any] = {}
    for model, pks in by_model.items():
        rows = model._default_manager.filter(pk__in=[pk for pk in pks if pk is not None])
        for row in visible(viewer_of(viewer), rows, with_muted=True):
            found[Reference(model, object_id_of(row))] = row
    return [found[one] for one in wanted.values() if one in found]


def _reference(name: str) -> Reference:
    owner = parse_owner_id(name)
    return Reference(*owner) if owner else Reference(concrete(get_user_model()), from_wire_id(name))
