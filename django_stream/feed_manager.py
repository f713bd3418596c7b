"""The name of stream-django's `feed_manager` module."""

from django_stream.feeds.manager import FeedManager, feed_manager

__all__ = ["FeedManager", "feed_manager"]
