"""Celery's door: tasks take texts and numbers, and call functions that need no Celery."""

from __future__ import annotations

from celery import shared_task

from django_stream.publishing.nudge import DRAIN_TASK, drain_part


@shared_task(name=DRAIN_TASK, acks_late=True, ignore_result=True)
def drain_outbox(using: str = "default", bulk: bool = True) -> int:
    """Publish what is due in one database; returns how many objects were brought up to date."""
    return drain_part(using, bulk)
