"""What people want to know, and what they were told of: some small rows for each user who chose something."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

# SHA-256 in hexadecimal digits: names of groups may be of any length, and some databases ignore case.
_KEY_LENGTH = 64

DAILY, WEEKLY, OFF = "daily", "weekly", "off"
FREQUENCIES = (DAILY, WEEKLY, OFF)


class Dismissal(models.Model):
    """A user has dismissed a notification, or all, as they were then; what joins it later brings it back."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(_("key"), max_length=_KEY_LENGTH)
    updated_at = models.DateTimeField(_("updated at"))
    newest = models.DateTimeField(_("time of the newest activity"))

    class Meta:
        verbose_name = _("dismissal")
        verbose_name_plural = _("dismissals")
        constraints = (models.UniqueConstraint(fields=["user", "key"], name="stream_dismissal_of_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.key}"


class Preference(models.Model):
    """Where a user wants to hear of a verb."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    verb = models.CharField(_("verb"), max_length=255)
    in_feed = models.BooleanField(_("in the feed"), default=True)
    by_email = models.BooleanField(_("by e-mail"), default=True)
    refusal: ClassVar[models.Q] = models.Q(by_email=False)
    """Rows that an erasure leaves while the user's own row is there."""

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = (models.UniqueConstraint(fields=["user", "verb"], name="stream_preference_of_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.verb}"


class Told(models.Model):
    """A user was told that somebody did something to an object; rows are of use for a while."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(_("key"), max_length=_KEY_LENGTH)
    told_at = models.DateTimeField(_("told at"), db_index=True)
    was_seen = models.BooleanField(_("was seen"), default=False)
    """False: only an e-mail has told of it."""
    was_read = models.BooleanField(_("was read"), default=False)

    class Meta:
        verbose_name = _("told notification")
        verbose_name_plural = _("told notifications")
        constraints = (models.UniqueConstraint(fields=["user", "key"], name="stream_told_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.key}"


class DigestSubscription(models.Model):
    """How often a user gets e-mails, and which period the last one was for."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    frequency = models.CharField(
        _("frequency"),
        max_length=10,
        blank=True,
        default="",
        choices=[(DAILY, _("daily")), (WEEKLY, _("weekly")), (OFF, _("off"))],
    )
    """Empty: what the settings say."""
    period = models.DateField(_("first day of the period"), null=True, blank=True)
    """Written before the e-mail is sent, so that there is never a second one."""
    mailed_until = models.DateTimeField(_("mailed until"), null=True, blank=True)
    """What the last e-mail told of came no later than this."""
    refusal: ClassVar[models.Q] = models.Q(frequency=OFF)
    """Rows that an erasure leaves while the user's own row is there."""

    class Meta:
        verbose_name = _("digest subscription")
        verbose_name_plural = _("digest subscriptions")

    def __str__(self) -> str:
        return f"{self.user_id} {self.frequency}"
