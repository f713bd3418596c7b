"""The feeds of a site by their everyday names; each function sends nothing until a page is read."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async

from django_stream.feeds.manager import feed_manager
from django_stream.feeds.paging import FeedReader
from django_stream.protocol.feed_ids import FeedID


def feed(feed_id: str) -> FeedReader:
    """Any feed by its id, such as "news:all"; ValueError for a text that is no feed id."""
    name = FeedID.parse(feed_id)
    return FeedReader(feed_manager.client.feed(name.slug, name.user_id))


def timeline(user: Any, slug: str = "timeline") -> FeedReader:
    """What those do whom a user follows.

    `user` is an instance or a primary key; `slug` is one of STREAM_NEWS_FEEDS.
    """
    return FeedReader(feed_manager.get_feed(slug, user))


def profile(user: Any) -> FeedReader:
    """What a user (an instance or a primary key) did."""
    return FeedReader(feed_manager.get_user_feed(user))


def notifications(user: Any) -> FeedReader:
    """What concerns a user (an instance or a primary key), in groups that are seen and read."""
    return FeedReader(feed_manager.get_notification_feed(user))


def unseen(user: Any) -> int:
    """How many entries of a user's notifications were never looked at: the number for a badge."""
    return notifications(user).unseen()


async def aunseen(user: Any) -> int:
    """The same for asynchronous views."""
    return await sync_to_async(unseen)(user)
