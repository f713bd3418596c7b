"""Celery tasks of the server half: thin doors to functions that work without Celery."""

from __future__ import annotations

from celery import shared_task

from django_stream.server.events import audit_log
from django_stream.server.fanout import jobs as fanout


@shared_task(name=fanout.FAN_OUT_TASK, ignore_result=True, acks_late=True)
def fan_out(job_id: int) -> None:
    """Run one large fan-out."""
    fanout.run(job_id)


@shared_task(name="django_stream.server.maintain", ignore_result=True)
def maintain(idle_seconds: float = 300.0) -> None:
    """Run fan-outs that a killed worker left, and prune the audit log. To be run every few minutes."""
    fanout.resume(idle_seconds)
    audit_log.prune()
