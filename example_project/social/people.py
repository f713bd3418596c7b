"""What people say of themselves, and whom they do not want to see. These rows are no activities."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from django_stream.tracking import register_blocks, register_mutes


class Profile(models.Model):
    """How a person's account is set; without such a row, everybody may follow."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="profile")
    is_private = models.BooleanField("Private account", default=False)

    def __str__(self) -> str:
        return f"profile of {self.user}"


def is_private(person: Any) -> bool:
    return Profile.objects.filter(user=person, is_private=True).exists()


class Mute(models.Model):
    """One person sees nothing of another, who does not learn of it."""

    muter = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mutes")
    muted = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["muter", "muted"], name="mute_once"),)

    def __str__(self) -> str:
        return f"{self.muter} mutes {self.muted}"


class Block(models.Model):
    """Neither of two people sees anything of the other."""

    blocker = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="blocks")
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once"),)

    def __str__(self) -> str:
        return f"{self.blocker} blocks {self.blocked}"


def declare() -> None:
    """Tell the feeds which of these rows hide people from one another."""
    register_mutes(Mute, by="muter", of="muted")
    register_blocks(Block, by="blocker", of="blocked")
