"""Celery tasks of the server half: thin doors to functions that work without Celery."""

from __future__ import annotations

from celery import shared_task

from django_stream.server import background
from django_stream.server.actions import reaction_counts, reaction_jobs, reactions, removal_jobs
from django_stream.server.events import audit_log
from django_stream.server.fanout import jobs as fanout
from django_stream.server.files import deletions
from django_stream.server.streams import log as stream_log
from django_stream.server.streams import status, webhooks
from django_stream.server.timelines import group_marks, timelines, unfollows


@shared_task(name=fanout.FAN_OUT_TASK, ignore_result=True, acks_late=True)
def fan_out(job_id: int) -> None:
    """Do a step of a large fan-out, and leave the next one to the queue."""
    background.in_turns(fanout.FAN_OUT_TASK, job_id)


@shared_task(name=reaction_jobs.TASK, ignore_result=True, acks_late=True)
def follow_reaction(number: int) -> None:
    """Delete or restore a step of what is below a reaction, likewise."""
    background.in_turns(reaction_jobs.TASK, number)


@shared_task(name=removal_jobs.TASK, ignore_result=True, acks_late=True)
def remove_activities(number: int) -> None:
    """Take a step of a foreign_id's activities off a feed, likewise."""
    background.in_turns(removal_jobs.TASK, number)


@shared_task(name=group_marks.TASK, ignore_result=True, acks_late=True)
def mark_groups(number: int) -> None:
    """Mark a step of a feed's groups, likewise."""
    background.in_turns(group_marks.TASK, number)


@shared_task(name=unfollows.TASK, ignore_result=True, acks_late=True)
def unfollow(number: int) -> None:
    """Take a step of what a follow brought off its feeds, likewise."""
    background.in_turns(unfollows.TASK, number)


@shared_task(name="django_stream.server.maintain", ignore_result=True)
def maintain(idle_seconds: float = 300.0) -> None:
    """Queue the jobs that a killed worker left, and delete what is old. To be run every few minutes."""
    background.hand_on_left(idle_seconds)
    audit_log.prune()
    reactions.prune_places()
    reaction_counts.prune()
    timelines().prune()
    stream_log.prune()
    status.forget_the_gone()
    deletions.delete_due()  # last: a storage that does not answer takes long


@shared_task(name="django_stream.server.deliver_webhooks", ignore_result=True)
def deliver_webhooks() -> None:
    """Post events of streams to their webhooks. To be run every few seconds, or by `stream_webhooks`."""
    webhooks.deliver_due()
