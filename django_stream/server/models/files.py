"""Uploaded files and other sizes of images."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models
from django.utils import timezone

from django_stream.server.models.applications import Application


def new_file_key() -> str:
    """A random key that cannot be guessed: the file can be read by those who know its URL only."""
    return secrets.token_urlsafe(24)


class StoredFile(models.Model):
    """One file in the storage. Its key is part of its URL."""

    key = models.CharField(max_length=64, primary_key=True, default=new_file_key)
    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    user_id = models.CharField("owner", max_length=255, blank=True)
    """Who uploaded it; empty for the application itself."""
    name = models.CharField(max_length=255)
    """The name in the storage; its last part is what the file was called."""
    is_image = models.BooleanField(default=False)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    source = models.CharField(max_length=64, blank=True)
    """Key of the image that this one was made from."""
    variant = models.CharField(max_length=64, blank=True)
    """Which size this is, so that each is made once."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "variant"], condition=~models.Q(source=""), name="dss_file_variant"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """A name for the file that does not give access to it."""
        return hashlib.sha256(self.key.encode()).hexdigest()

    @property
    def base_name(self) -> str:
        return self.name.rpartition("/")[2]
