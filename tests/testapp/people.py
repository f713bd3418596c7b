"""Models of people who do not show everything to everybody."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from django_stream.models import ActivityMixin, ReactionMixin

User = settings.AUTH_USER_MODEL


class Mute(models.Model):
    """One person hears nothing of another."""

    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    of = models.ForeignKey(User, models.CASCADE, related_name="+")


class Block(models.Model):
    """Neither hears of the other."""

    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    of = models.ForeignKey(User, models.CASCADE, related_name="+")


class Moment(ActivityMixin, models.Model):
    """Shown to all, to followers, or to nobody but its author."""

    author = models.ForeignKey(User, models.CASCADE, related_name="moments")
    audience = models.CharField(max_length=10, default="all")
    text = models.CharField(max_length=100, default="")
    at: Any = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    mentioned: Any = models.ManyToManyField(User, related_name="+")

    class Activity:
        actor = "author"
        target = "at"
        to = "mentioned"
        extra = ("text",)

    @staticmethod
    def visible_to(viewer: Any, rows: models.QuerySet[Moment]) -> models.QuerySet[Moment]:
        follows = models.Q(audience="followers", author__subscribers__reader=viewer.pk or 0)
        return rows.filter(models.Q(audience="all") | models.Q(author=viewer.pk or 0) | follows)


class Praise(ActivityMixin, models.Model):
    """Somebody's word on somebody's moment, of whom code tells and no foreign key."""

    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    moment = models.ForeignKey(Moment, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        object = "moment"

    @property
    def activity_actor_attr(self) -> Any:
        return self.by

    @property
    def activity_notify(self) -> list[Any]:
        return [self.moment.author]

    @classmethod
    def activity_related_models(cls) -> list[str]:
        return ["by"]


class Quote(ActivityMixin, models.Model):
    """What somebody says of a praise: its object is a row whose author only code tells."""

    user = models.ForeignKey(User, models.CASCADE)
    praise = models.ForeignKey(Praise, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        object = "praise"


class Whisper(ReactionMixin, models.Model):
    """A reaction that only its author sees while it is secret."""

    user = models.ForeignKey(User, models.CASCADE)
    moment = models.ForeignKey(Moment, models.CASCADE, related_name="whispers")
    secret = models.BooleanField(default=False)

    class Reaction:
        activity = "moment"
        fields = ("secret",)

    @staticmethod
    def visible_to(viewer: Any, rows: models.QuerySet[Whisper]) -> models.QuerySet[Whisper]:
        return rows.filter(models.Q(secret=False) | models.Q(user=viewer.pk or 0))
