"""Reading feeds: `feeds.timeline(user).page()`. Importable anywhere, apps.py and models.py included."""

from typing import TYPE_CHECKING

from django_stream.lazy import lazy_exports

__all__ = [
    "SEES_ALL",
    "BadCursor",
    "EnrichedActivity",
    "FeedManager",
    "FeedReader",
    "MissingObject",
    "Page",
    "People",
    "PeopleReader",
    "ais_following",
    "aunseen",
    "everything",
    "feed",
    "feed_manager",
    "followers",
    "following",
    "in_background",
    "is_following",
    "notifications",
    "of_model",
    "of_object",
    "of_target",
    "profile",
    "timeline",
    "unseen",
    "visible_to",
]

if TYPE_CHECKING:
    from django_stream.activities.visibility import SEES_ALL
    from django_stream.feeds.background import in_background
    from django_stream.feeds.enrichment import EnrichedActivity, MissingObject
    from django_stream.feeds.follow_lists import (
        People,
        PeopleReader,
        ais_following,
        followers,
        following,
        is_following,
    )
    from django_stream.feeds.manager import FeedManager, feed_manager
    from django_stream.feeds.paging import BadCursor, FeedReader, Page
    from django_stream.feeds.readers import (
        aunseen,
        everything,
        feed,
        notifications,
        of_model,
        of_object,
        of_target,
        profile,
        timeline,
        unseen,
        visible_to,
    )
else:
    _ROOMS = ("readers", "follow_lists", "paging", "manager", "enrichment", "background")
    _MODULES = [f"{__name__}.{room}" for room in _ROOMS]
    __getattr__ = lazy_exports(__name__, __all__, [*_MODULES, "django_stream.activities.visibility"])
