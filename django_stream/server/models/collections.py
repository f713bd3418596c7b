"""Objects stored beside the feeds: what `SO:` references stand for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from django_stream.server.models.applications import Application


class CollectionEntry(models.Model):
    """One object of a collection."""

    pk = models.CompositePrimaryKey("application_id", "collection", "entry_id")
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    collection = models.CharField(max_length=255)
    entry_id = models.CharField(max_length=255)
    user_id = models.CharField("owner", max_length=255, blank=True)
    """Whom user tokens must belong to for a change; empty for the application's own entries."""
    data: models.JSONField[Any, Any] = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "collection entries"

    def __str__(self) -> str:
        return f"{self.collection}:{self.entry_id}"
