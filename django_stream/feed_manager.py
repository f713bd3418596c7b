"""The names of stream-django's `feed_manager` module.

There `from stream_django import feed_manager` was the manager itself, so this module answers for it, too.
"""

from typing import Any

from django_stream.feeds.manager import FeedManager, feed_manager

__all__ = ["FeedManager", "feed_manager"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    return getattr(feed_manager, name)
