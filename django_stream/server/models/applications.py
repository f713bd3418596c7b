"""Applications and their API keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.encoding import force_bytes

from django_stream.server.conf import server_settings


def new_app_id() -> int:
    """A random number; the primary key refuses the rare collision."""
    return secrets.randbelow(10**9 - 10**6) + 10**6


def new_api_key() -> str:
    return secrets.token_hex(8)


class Application(models.Model):
    """One customer of this server: a site with its own keys, groups and data."""

    id = models.BigIntegerField("app id", primary_key=True, default=new_app_id)
    name = models.CharField(max_length=100, blank=True)
    is_suspended = models.BooleanField("suspended", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.name or 'application'} ({self.pk})"


class ApiKey(models.Model):
    """A key of an application.

    Secrets are derived from SECRET_KEY, the key and its generation, and stored nowhere:
    neither the admin nor a copy of the database can show them.
    """

    key = models.CharField(max_length=64, primary_key=True, default=new_api_key)
    application = models.ForeignKey(Application, models.CASCADE, related_name="api_keys")
    generation = models.PositiveIntegerField(default=1, editable=False)
    previous_until = models.DateTimeField("former secret valid until", null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.key

    def secret(self) -> str:
        """The secret in force."""
        return self._secret(settings.SECRET_KEY, self.generation)

    def valid_secrets(self) -> list[str]:
        """Every secret that verifies a token now, the one in force first."""
        generations = [self.generation]
        if self.previous_until is not None and self.previous_until > timezone.now():
            generations.append(self.generation - 1)
        site_keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return [self._secret(site_key, number) for site_key in site_keys for number in generations]

    def rotate(self) -> str:
        """Put a new secret in force; the former one stays valid for a while. Returns the new one."""
        self.generation += 1
        self.previous_until = timezone.now() + timedelta(seconds=server_settings.KEY_ROTATION_SECONDS)
        self.save(update_fields=["generation", "previous_until"])
        return self.secret()

    def _secret(self, site_key: str | bytes, generation: int) -> str:
        text = f"django_stream.api_key:{self.key}:{generation}"
        return hmac.new(force_bytes(site_key), text.encode(), hashlib.sha256).hexdigest()
