"""Who changed what, and what users reported."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from django_stream.server.models.applications import Application


class AuditLog(models.Model):
    """One change of an activity, reaction or feed."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    entity_type = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=600)
    action = models.CharField(max_length=64)
    user_id = models.CharField(max_length=255, blank=True)
    custom: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["application", "entity_type", "entity_id", "id"], name="dss_audit_entity"),
            models.Index(fields=["application", "user_id", "id"], name="dss_audit_user"),
            models.Index(fields=["created_at"], name="dss_audit_age"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"


class ModerationFlag(models.Model):
    """A user's report of something that a moderator should look at."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    entity_type = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=255)
    user_id = models.CharField("reported by", max_length=255)
    reason = models.TextField(blank=True)
    custom: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.entity_type} {self.entity_id} reported by {self.user_id}"


class ModerationStatus(models.Model):
    """What moderators decided about something."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    entity_type = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=255)
    moderator_id = models.CharField(max_length=255)
    status = models.CharField(max_length=255, blank=True)
    recommended_action = models.CharField(max_length=255, blank=True)
    latest_moderator_action = models.CharField(max_length=255, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "moderation statuses"
        constraints = [
            models.UniqueConstraint(
                fields=["application", "entity_type", "entity_id"], name="dss_moderated_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.entity_id}: {self.status}"
