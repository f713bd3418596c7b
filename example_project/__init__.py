"""A small social site that uses every room of django_stream."""

from .celery import app as celery_app

__all__ = ["celery_app"]
