"""Activities: one row for each, whatever the number of feeds that list it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import models

from django_stream.database.fields import OrderedUUIDField
from django_stream.protocol import activity_ids
from django_stream.server.models.applications import Application


class Activity(models.Model):
    """One activity of an application. Its id and time are its key, in another order of bits."""

    pk = models.CompositePrimaryKey("application_id", "key")
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    key = OrderedUUIDField()
    """`activity_ids.sort_key` of the id: orders as feeds do."""
    actor = models.CharField(max_length=255)
    verb = models.CharField(max_length=255)
    object = models.CharField(max_length=255)
    target = models.CharField(max_length=255, blank=True)
    foreign_id = models.CharField(max_length=255, blank=True)
    to: models.JSONField[Any, Any] = models.JSONField(default=list)
    """Feed ids that were addressed, in the order given."""
    extra: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Custom fields."""
    group_names: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """{slug of an aggregated group: name of the activity's group there}, rendered once."""
    created_by = models.CharField(max_length=255, blank=True, default="", db_default="")
    """The user whose token posted it; empty for the application's own server."""
    is_erased = models.BooleanField(default=False)
    """Emptied for reasons of privacy; feeds keep a placeholder."""

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(
                fields=["application", "foreign_id", "key"],
                condition=~models.Q(foreign_id=""),
                name="dss_activity_foreign_key",
            ),
            # What somebody did, page by page.
            models.Index(fields=["application", "actor", "key"], name="dss_activity_actor_key"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.object}"

    @property
    def activity_id(self) -> uuid.UUID:
        return activity_ids.from_sort_key(self.key)

    @property
    def time(self) -> datetime:
        return activity_ids.time_of(self.activity_id)
