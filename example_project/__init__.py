"""A small social site that uses every room of django_stream."""

from example_project.celery import app as celery_app

__all__ = ["celery_app"]
