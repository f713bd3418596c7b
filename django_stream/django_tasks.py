"""The door of django.tasks, which came with Django 6.0; imported only where STREAM_WORKERS is "django"."""

from __future__ import annotations

from django.tasks import task

from django_stream.publishing.nudge import drain_part


@task
def drain_outbox(using: str = "default", bulk: bool = True) -> int:
    """Publish what is due in one database; returns how many objects were brought up to date."""
    return drain_part(using, bulk)
