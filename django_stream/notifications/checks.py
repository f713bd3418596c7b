"""System check: e-mails need to know where the site is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error

from django_stream.conf import stream_settings
from django_stream.notifications.models import OFF


def check_digests(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """E090: an address of the site that is none, or is missing where e-mails are sent."""
    url = stream_settings.NOTIFICATIONS_BASE_URL
    if is_address(url) or (url == "" and stream_settings.NOTIFICATIONS_DIGEST == OFF):
        return []
    return [
        Error(
            f"STREAM_NOTIFICATIONS_BASE_URL is {url!r}.",
            hint='Links in e-mails begin with it: give the address of the site, such as "https://example.com".',
            id="django_stream.E090",
        )
    ]


def is_address(url: object) -> bool:
    """Whether it is an absolute address of the web."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.query or parts.fragment)
