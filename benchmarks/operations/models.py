"""What sync is measured with."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from django_stream.models import FollowMixin


class Subscription(FollowMixin, models.Model):
    """One user follows another."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    writer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Follows:
        follower = "reader"
        followed = "writer"

    def __str__(self) -> str:
        return f"{self.reader_id} follows {self.writer_id}"
