"""What all rows of the report's site have, ours and the peer's."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Said(models.Model):
    """An ordinary row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    title = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title
