"""The home of the feeds: one setting decides between embedded, one's own host, and the hosted service."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from django_stream.client import StreamClient
from django_stream.conf import PREFIX, imported, stream_settings

EMBEDDED = "embedded"
HOSTED = "hosted"


def backend_fingerprint() -> str:
    """Changes with the home, the application or the key: what is known of one says nothing of another."""
    where = (
        stream_settings.BACKEND,
        stream_settings.LOCATION,
        stream_settings.API_KEY,
        stream_settings.APP_ID,
    )
    return hashlib.sha256(repr(where).encode()).hexdigest()[:8]


class NetworkInTests(RuntimeError):
    """A test would have called an API outside of its process."""


@lru_cache(maxsize=1)
def get_client() -> StreamClient:
    """The client of the configured home, shared by the whole process."""
    home = stream_settings.BACKEND
    if home != EMBEDDED and _under_test() and not stream_settings.NETWORK_IN_TESTS:
        raise NetworkInTests(
            f"STREAM_BACKEND is {home!r}, and tests reach no network: set it to 'embedded' for them, "
            "or set STREAM_NETWORK_IN_TESTS if they are meant to"
        )
    options: dict[str, Any] = {"timeout": stream_settings.TIMEOUT}
    if home == EMBEDDED:
        options["transport"] = imported(stream_settings.TRANSPORT)()
    elif home == HOSTED:
        options["location"] = stream_settings.LOCATION
    elif home.startswith(("http://", "https://")):
        options["base_url"] = home
    else:
        raise ImproperlyConfigured(
            f"STREAM_BACKEND is {home!r}: use 'embedded', 'hosted', or the base URL of a server such as 'https://feeds.example.com'"
        )
    return StreamClient(stream_settings.API_KEY, stream_settings.secret, stream_settings.APP_ID, **options)


def _under_test() -> bool:
    """Django's test environment gives itself away by the mailbox that it sets up."""
    return hasattr(mail, "outbox")


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX) or setting == "SECRET_KEY":
        get_client.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_stream.backends")
