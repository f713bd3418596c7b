"""App Streams: what applications asked to be told, and the log of what happened."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from django_stream.database.fields import OrderedUUIDField
from django_stream.server.models.applications import Application


class StreamFilter(models.Model):
    """Clauses over events, shared by any number of streams of the application."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    name = models.CharField(max_length=255, blank=True)
    match_policy = models.CharField(max_length=16)
    clauses: models.JSONField[Any, Any] = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name or f"filter {self.pk}"


class AppStream(models.Model):
    """A stored subscription of an application: these types of objects, perhaps through a filter."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    key = models.CharField(max_length=32)
    """The client's name for it, or its own number as text."""
    object_types: models.JSONField[Any, Any] = models.JSONField()
    """Names as they were asked for; events carry them."""
    filter = models.ForeignKey(StreamFilter, models.RESTRICT, null=True, blank=True, related_name="streams")
    position = models.BigIntegerField(default=0, editable=False)
    """Readers that name no event begin after it: the last one delivered, or the newest at creation."""
    sent = models.BigIntegerField(default=0, editable=False)
    """Events written to readers."""
    dropped = models.BigIntegerField(default=0, editable=False)
    """Readers that were cut off because they were too slow."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "key"], name="dss_stream_key")]

    def __str__(self) -> str:
        return self.key


class StreamReaders(models.Model):
    """How many readers a process serves; a row that is not refreshed belongs to a process that is gone."""

    id = models.BigAutoField(primary_key=True)
    stream = models.ForeignKey(AppStream, models.CASCADE, related_name="readers")
    process = OrderedUUIDField()
    count = models.PositiveIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "stream readers"
        constraints = [models.UniqueConstraint(fields=["stream", "process"], name="dss_stream_readers")]

    def __str__(self) -> str:
        return f"{self.count} readers of stream {self.stream_id}"


class StreamEvent(models.Model):
    """One entry of the log, written in the transaction of the change.

    No foreign key: nobody looks for the events of an application but by their place.
    """

    id = models.BigAutoField(primary_key=True)
    position = models.BigIntegerField(null=True)
    """The place in the log, given when the transaction has committed; null until then."""
    application = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    object_id = models.CharField(max_length=600)
    op = models.CharField(max_length=8)
    is_deleted = models.BooleanField(default=False)
    data = models.TextField()
    """The object as JSON, encoded once for all readers."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position"],
                condition=models.Q(position__isnull=False),
                name="dss_stream_event_place",
            ),
        ]
        # Those that wait for their place: few, and otherwise looked for among all.
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(position__isnull=True), name="dss_stream_event_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.op} {self.kind} {self.object_id}"


class StreamLog(models.Model):
    """The one row that says how far the log goes. Its lock orders the giving of places."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    newest = models.BigIntegerField(default=0)
    """The place given last."""
    pruned = models.BigIntegerField(default=0)
    """Every place up to this one is deleted."""
    version = models.BigIntegerField(default=0)
    """Counts changes of streams, filters and keys, so that live connections notice them."""

    def __str__(self) -> str:
        return f"log up to {self.newest}"


class FeedListening(models.Model):
    """Browsers of an application are subscribed to feeds, until then: its activities are to be logged."""

    application = models.OneToOneField(Application, models.CASCADE, primary_key=True, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"feeds of {self.application_id} until {self.until}"


class StreamWebhook(models.Model):
    """An address that a stream's events are posted to."""

    id = models.BigAutoField(primary_key=True)
    stream = models.OneToOneField(AppStream, models.CASCADE, related_name="webhook")
    url = models.CharField(max_length=500)
    position = models.BigIntegerField(default=0, editable=False)
    """The last event that was delivered or given up."""
    attempts = models.PositiveIntegerField(default=0, editable=False)
    """Failures in a row of the delivery under way."""
    due_at = models.DateTimeField(default=timezone.now, editable=False)
    last_error = models.CharField(max_length=255, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.url


class DeadLetter(models.Model):
    """A delivery to a webhook that was given up."""

    id = models.BigAutoField(primary_key=True)
    webhook = models.ForeignKey(StreamWebhook, models.CASCADE, related_name="dead_letters")
    first_position = models.BigIntegerField()
    last_position = models.BigIntegerField()
    body = models.TextField()
    error = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"events {self.first_position} to {self.last_position} for {self.webhook_id}"
