"""The feeds of a site by their everyday names; each function sends nothing until a page is read."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from django_stream.activities.context_feeds import OBJECT, TARGET, model_feed
from django_stream.activities.visibility import refuse_untold_authors, viewer_of, visible, visible_rows
from django_stream.conf import stream_settings
from django_stream.feeds.manager import feed_manager
from django_stream.feeds.paging import FeedReader
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.suggestions import did_you_mean

_Row = TypeVar("_Row", bound=models.Model)


def feed(feed_id: str, viewer: Any = None) -> FeedReader:
    """Any feed by its id, such as "news:all"; ValueError for a text that is no feed id.

    `viewer` is who looks at it: a user, or None for a visitor who is not signed in.
    """
    name = FeedID.parse(feed_id)
    return FeedReader(feed_manager.client.feed(name.slug, name.user_id), viewer=viewer)


def everything(viewer: Any = None) -> FeedReader:
    """The feed that STREAM_EVERYTHING_FEED names, where a site gathers what everybody does."""
    name = stream_settings.EVERYTHING_FEED
    if name is None:
        raise ImproperlyConfigured(
            'there is no feed of everything: name one by STREAM_EVERYTHING_FEED = "news:all", and let '
            'activities go there by to = ["news:all"]'
        )
    return feed(name, viewer)


def timeline(user: Any, slug: str = "timeline") -> FeedReader:
    """What those do whom a user follows, as the user may see it.

    `user` is an instance or a primary key; `slug` is one of STREAM_NEWS_FEEDS.
    """
    return FeedReader(feed_manager.get_feed(slug, user), viewer=user)


def profile(user: Any, viewer: Any = None) -> FeedReader:
    """What a user (an instance or a primary key) did, as `viewer` may see it."""
    return FeedReader(feed_manager.get_user_feed(user), viewer=viewer)


def of_object(row: Any, viewer: Any = None) -> FeedReader:
    """What was done to a row, where STREAM_CONTEXT_FEEDS has "object"."""
    return FeedReader(feed_manager.get_feed(OBJECT, row), viewer=viewer)


def of_target(row: Any, viewer: Any = None) -> FeedReader:
    """What was done towards a row, where STREAM_CONTEXT_FEEDS has "target"."""
    return FeedReader(feed_manager.get_feed(TARGET, row), viewer=viewer)


def of_model(model: type[models.Model], viewer: Any = None) -> FeedReader:
    """All that concerns rows of a model, where STREAM_CONTEXT_FEEDS has "model"."""
    return feed(str(model_feed(model)), viewer=viewer)


def notifications(user: Any) -> FeedReader:
    """What concerns a user (an instance or a primary key), in groups that are seen and read."""
    return FeedReader(feed_manager.get_notification_feed(user), viewer=user)


def reader_named(name: str, owner: Any, viewer: Any) -> FeedReader | None:
    """The reader that a word of a template means: see `{% stream_feed %}`. None for feeds of nobody."""
    if ":" in name:
        return feed(name, viewer)
    if name == "everything":
        return everything(viewer)
    news = tuple(stream_settings.news_feeds.values())
    if name not in (names := ("profile", "notifications", *news)):
        raise ValueError(f"there is no feed {name!r}. {did_you_mean(name, (*names, 'everything'))}")
    if owner is None:
        return None
    readers = {"profile": profile, "notifications": notifications}
    reader = readers[name](owner) if name in readers else timeline(owner, name)
    return reader.seen_by(viewer)


def unseen(user: Any) -> int:
    """How many entries of a user's notifications were never looked at: the number for a badge.

    Entries that a page cannot show are not counted.
    """
    return notifications(user).unseen()


async def aunseen(user: Any) -> int:
    """The same for asynchronous views."""
    return await notifications(user).aunseen()


@overload
def visible_to(viewer: Any, rows: models.QuerySet[_Row]) -> models.QuerySet[_Row]: ...
@overload
def visible_to(viewer: Any, rows: list[_Row]) -> list[_Row]: ...
def visible_to(viewer: Any, rows: Any) -> Any:
    """Those of the rows that a viewer may see on pages of your own: in a search, a list of comments.

    Blocked people and what is theirs are left out; muted ones are not, since they are only kept out of feeds.
    Of a queryset you get a narrower one. Give a list of rows where only code tells whose they are: for a
    queryset of those TypeError is raised if people can block one another.
    """
    if isinstance(rows, list):
        return visible_rows(viewer_of(viewer), rows, with_muted=True)
    refuse_untold_authors(rows.model)
    return visible(viewer_of(viewer), rows, with_muted=True)
