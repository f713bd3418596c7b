"""What a site and the server inside of it know of one another, so that neither half needs configuration."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

EMBEDDED_API_KEY: Final = "embedded"
EMBEDDED_APP_ID: Final = "1"
FAYE_SCOPE_KEY: Final = "django_stream.faye"
"""Where, in the scope of an ASGI request, the server says at which path of the site browsers listen."""


def embedded_secret(site_secret: str) -> str:
    """Derive the API secret from the site's SECRET_KEY; one never reveals the other."""
    return hmac.new(site_secret.encode(), b"django_stream.embedded", hashlib.sha256).hexdigest()
