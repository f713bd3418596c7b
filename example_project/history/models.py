"""Commits of a software project, published by their authors."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from django_stream.models import ActivityMixin


class Commit(ActivityMixin, models.Model):
    """One commit; its id is the object's natural key."""

    sha = models.CharField(max_length=40, primary_key=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="commits")
    time = models.DateTimeField()
    subject = models.CharField(max_length=200, blank=True)
    areas = models.JSONField(default=list)
    files = models.PositiveIntegerField(default=0)

    class Activity:
        actor = "author"
        verb = "commit"
        time = "time"
        extra = ("subject", "areas")

    def __str__(self) -> str:
        return self.subject
