"""Checks of names, by the module's name in stream-python."""

from django_stream.client.validation import validate_feed_id, validate_feed_slug, validate_user_id

__all__ = ["validate_feed_id", "validate_feed_slug", "validate_user_id"]
