"""One model three times: untracked, tracked by signals, and by triggers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from django_stream.models import ActivityMixin


class Note(models.Model):
    """An ordinary row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    title = models.CharField(max_length=100)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class Untracked(Note):
    """Says nothing."""


class Tracked(ActivityMixin, Note):
    """Says what it is about."""

    class Activity:
        extra = ("title",)


class Captured(ActivityMixin, Note):
    """The same, where the database notes its changes."""

    class Activity:
        extra = ("title",)
        capture = "database"
