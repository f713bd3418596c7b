"""The name of stream-django's `enrich` module."""

from django_stream.feeds.enrichment import Enrich, EnrichedActivity

__all__ = ["Enrich", "EnrichedActivity"]
