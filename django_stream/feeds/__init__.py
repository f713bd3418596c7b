"""Reading feeds: `feeds.timeline(user).page()`. Importable anywhere, apps.py and models.py included."""

from typing import TYPE_CHECKING

from django_stream.lazy import lazy_exports

__all__ = [
    "BadCursor",
    "EnrichedActivity",
    "FeedManager",
    "FeedReader",
    "MissingObject",
    "Page",
    "aunseen",
    "feed",
    "feed_manager",
    "notifications",
    "profile",
    "timeline",
    "unseen",
]

if TYPE_CHECKING:
    from django_stream.feeds.enrichment import EnrichedActivity, MissingObject
    from django_stream.feeds.manager import FeedManager, feed_manager
    from django_stream.feeds.paging import BadCursor, FeedReader, Page
    from django_stream.feeds.readers import aunseen, feed, notifications, profile, timeline, unseen
else:
    _ROOMS = ("readers", "paging", "manager", "enrichment")
    __getattr__ = lazy_exports(__name__, __all__, [f"{__name__}.{room}" for room in _ROOMS])
