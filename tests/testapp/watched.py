"""Models whose rows are read in many ways, and that change in many ways."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from django_stream.models import ReactionMixin, TrackedManager


class Gauge(models.Model):
    """Tests register it with one declaration after another."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    level = models.IntegerField(default=1)
    twice = models.GeneratedField(
        expression=models.F("level") * 2, output_field=models.IntegerField(), db_persist=True
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = TrackedManager()

    @property
    def thrice(self) -> int:
        return self.level * 3


class Cheer(ReactionMixin, models.Model):
    """A reaction to the activity of any row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=50)
    thing = GenericForeignKey()

    class Reaction:
        activity = "thing"
