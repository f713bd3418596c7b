"""The name of stream-django's `managers` module, from which feed managers of projects derive."""

from django_stream.feeds.manager import FeedManager

__all__ = ["FeedManager"]
