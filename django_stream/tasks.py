"""Celery's door: tasks take texts and numbers, and call functions that need no Celery."""

from __future__ import annotations

from celery import shared_task

from django_stream.publishing.drain import drain
from django_stream.publishing.nudge import DRAIN_TASK, nudge

_BATCHES_PER_TASK = 20


@shared_task(name=DRAIN_TASK, acks_late=True, ignore_result=True)
def drain_outbox(using: str = "default", bulk: bool = True) -> int:
    """Publish what is due in one database; returns how many objects were brought up to date.

    A long queue becomes several tasks, so that none meets a time limit and a worker can be stopped.
    """
    report = drain(using, bulk=bulk, max_batches=_BATCHES_PER_TASK)
    if report.more:
        nudge(using, bulk=bulk)
    return report.published
