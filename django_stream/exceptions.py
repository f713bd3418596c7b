"""The name of stream-django's `exceptions` module."""

from django_stream.rendering.templates import MissingDataException

__all__ = ["MissingDataException"]
