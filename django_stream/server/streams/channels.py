"""The address of a stream's channel: a secret in it admits whoever has it."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.utils.encoding import force_bytes

from django_stream.server.models import AppStream
from django_stream.server.requests import API_PATH

_DIGITS = 32


def address_of(stream: AppStream, base_url: str) -> str:
    """The absolute address that a reader connects to."""
    return f"{base_url}{API_PATH}channel/{stream.pk}/{_secret(stream, settings.SECRET_KEY)}"


def admits(stream: AppStream, secret: str) -> bool:
    """Whether the secret is that of the stream's channel, also by a former SECRET_KEY."""
    site_keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(
        hmac.compare_digest(_secret(stream, one).encode(), secret.encode(errors="replace"))
        for one in site_keys
    )


def _secret(stream: AppStream, site_key: str | bytes) -> str:
    """Derived and stored nowhere. The time of creation is in it: numbers may come again after a restore."""
    text = f"django_stream.channel:{stream.application_id}:{stream.pk}:{stream.created_at.timestamp()}"
    return hmac.new(force_bytes(site_key), text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]
