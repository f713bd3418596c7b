"""The door of django.tasks, which came with Django 6.0; imported only where STREAM_WORKERS is "django"."""

from __future__ import annotations

from django.tasks import task

from django_stream.database.requests import serving_others
from django_stream.publishing.nudge import drain_part


@task
def drain_outbox(using: str = "default", bulk: bool = True) -> int:
    """Publish what is due in one database; returns how many objects were brought up to date."""
    # A large fan-out that this leads to is done beside it, in steps: the next task does not wait for it.
    with serving_others():
        return drain_part(using, bulk)
