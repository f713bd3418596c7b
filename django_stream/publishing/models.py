"""The outbox and the ledger of what the feeds may hold."""

from __future__ import annotations

from datetime import UTC, datetime

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Without this, Django would complain of a missing app_label.
if not apps.is_installed("django_stream"):
    raise ImproperlyConfigured("django_stream is not installed: add 'django_stream' to INSTALLED_APPS")


def never() -> datetime:
    """The due time of parked entries, far in the future.

    The claim could filter by `parked_at` instead. But without statistics a database expects few entries
    to pass such a filter, and then reads the whole outbox for each batch.
    """
    return datetime(9999, 12, 1, tzinfo=UTC if settings.USE_TZ else None)


class OutboxEntry(models.Model):
    """A tracked object has changed and its feeds must be brought up to date.

    It says only *that*, never *what*: the drain reads the newest committed state, so several
    entries of one object are published as one, and a deletion wins, since the object is not there.

    `attempts` counts the failures after which it is parked. What was never sent does not count.
    """

    model_label = models.CharField(_("model"), max_length=200)
    object_key = models.CharField(_("object"), max_length=255)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    bulk = models.BooleanField(_("from a bulk operation"), default=False)
    attempts = models.PositiveIntegerField(_("failed attempts"), default=0)
    parked_at = models.DateTimeField(_("parked at"), null=True, blank=True)
    reason = models.TextField(_("last failure"), blank=True, default="")

    class Meta:
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox entries")
        indexes = (
            # The claim: what is due, single changes before bulk ones, and oldest first.
            models.Index(fields=["bulk", "due_at", "id"], name="stream_outbox_due"),
            # All entries of the objects that were claimed.
            models.Index(fields=["object_key", "model_label"], name="stream_outbox_object"),
        )

    def __str__(self) -> str:
        return f"{self.model_label}:{self.object_key}"


class Publication(models.Model):
    """What the feeds may hold for one object, and who is working on it.

    Records are written before they are sent and replaced afterwards. So everything that may have reached
    the feeds is known, and can be removed, whenever a process is killed. Records and digest are certain
    while no attempt is open. `attempts` counts all since the last success, and only delays the next one.
    """

    model_label = models.CharField(_("model"), max_length=200)
    object_key = models.CharField(_("object"), max_length=255)
    records = models.JSONField(_("records"), default=list)
    digest = models.CharField(_("digest of the content"), max_length=64, blank=True, default="")
    attempts = models.PositiveIntegerField(_("attempts since the feeds were right"), default=0)
    lease = models.UUIDField(_("leased by"), null=True, blank=True)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = (
            models.UniqueConstraint(fields=["object_key", "model_label"], name="stream_publication_object"),
        )

    def __str__(self) -> str:
        return f"{self.model_label}:{self.object_key}"


class Checkpoint(models.Model):
    """How far a command has come that works on a whole table, so that it can go on after it was killed."""

    name = models.CharField(_("command and what it works on"), max_length=255, unique=True)
    options = models.JSONField(_("options"), default=dict)
    position = models.JSONField(_("position"), null=True)
    totals = models.JSONField(_("totals"), default=dict)
    tokens = models.JSONField(_("tokens of its leases"), default=list)
    done = models.BooleanField(_("done"), default=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")

    def __str__(self) -> str:
        return self.name
