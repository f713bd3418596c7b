"""Celery's door: name it in the beat schedule."""

from __future__ import annotations

from dataclasses import asdict

from celery import shared_task

from django_stream.notifications.sending import send_digests


@shared_task(name="django_stream.notifications.send_digests")
def send_due_digests() -> dict[str, int]:
    """Send the digests that are due; returns counts."""
    return asdict(send_digests())
