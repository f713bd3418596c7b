"""Users of an application: what `SU:` references stand for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from django_stream.server.models.applications import Application


class StreamUser(models.Model):
    """A user's profile. People may act without one: then nothing is stored here."""

    pk = models.CompositePrimaryKey("application_id", "user_id")
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    user_id = models.CharField(max_length=255)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "user"

    def __str__(self) -> str:
        return self.user_id
