"""The backend is where the feeds live: embedded in the site, a server of one's own, or the hosted service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from django_stream.conf import PREFIX, imported, renamed_settings, stream_settings
from django_stream.protocol.suggestions import did_you_mean

if TYPE_CHECKING:
    from django_stream.client import StreamClient

EMBEDDED = "embedded"
HOSTED = "hosted"
_OF_A_HOME = ("backend", "api_key", "api_secret", "app_id", "location")
_URL_SCHEMES = ("http://", "https://")


class NetworkInTests(RuntimeError):
    """A test would have called an API outside of its process."""


def backend_fingerprint() -> str:
    """Eight characters that change with the backend, the application or the key, and nothing else."""
    where = (
        stream_settings.BACKEND,
        stream_settings.LOCATION,
        stream_settings.API_KEY,
        stream_settings.APP_ID,
    )
    return hashlib.sha256(repr(where).encode()).hexdigest()[:8]


def is_backend(value: object) -> bool:
    """Whether a value of STREAM_BACKEND names a backend: "embedded", "hosted" or a base URL."""
    return isinstance(value, str) and (value in (EMBEDDED, HOSTED) or value.startswith(_URL_SCHEMES))


@lru_cache(maxsize=1)
def get_client() -> StreamClient:
    """The client of the configured backend, shared by the whole process.

    ImproperlyConfigured when the settings name none; NetworkInTests when a test would leave the process.
    """
    for old, new in renamed_settings().items():
        raise ImproperlyConfigured(f"the setting {old} is now called {new}: rename it")
    backend = stream_settings.BACKEND
    if not is_backend(backend):
        raise ImproperlyConfigured(
            f"STREAM_BACKEND is {backend!r}: use 'embedded', 'hosted', "
            "or the base URL of a server such as 'https://feeds.example.com'"
        )
    _refuse_network(backend)
    key, secret = stream_settings.API_KEY, stream_settings.secret
    client = _client(backend, key, secret, stream_settings.APP_ID, stream_settings.LOCATION)
    if not stream_settings.SHADOW_READS:
        return client
    from django_stream.client.shadow import ShadowTransport

    other, share = get_other_client(), stream_settings.SHADOW_READS
    return client.with_transport(ShadowTransport(client.api.transport, other, share))


def database_of(client: StreamClient) -> str | None:
    """Alias of the database that the client's requests write to, in its open transaction; None elsewhere."""
    # Asked of the transport itself: one that wraps another is another.
    database: Callable[[], str] | None = getattr(client.api.transport, "database", None)
    return database() if database else None


def get_other_client(backend: str | None = None) -> StreamClient:
    """The client of the home that STREAM_OTHER_HOME tells of, which is to be the `backend` if one is named.

    The embedded one needs no such setting. ImproperlyConfigured where something is missing.
    """
    home = dict(stream_settings.OTHER_HOME)
    if backend == EMBEDDED and home.get("backend") != EMBEDDED:
        # The server in the site takes the site's own key, wherever the feeds live now.
        home = {
            "backend": EMBEDDED,
            "api_key": stream_settings.API_KEY,
            "api_secret": stream_settings.secret,
            "app_id": stream_settings.APP_ID,
        }
    where = home.get("backend")
    if not is_backend(where) or (backend is not None and where != backend):
        raise ImproperlyConfigured(
            f"STREAM_OTHER_HOME does not tell of {backend or 'a home'!r}: give backend, api_key, api_secret"
        )
    for name in home.keys() - set(_OF_A_HOME):
        raise ImproperlyConfigured(f"STREAM_OTHER_HOME has no {name!r}. {did_you_mean(name, _OF_A_HOME)}")
    if missing := [name for name in ("api_key", "api_secret") if not home.get(name)]:
        raise ImproperlyConfigured(f"STREAM_OTHER_HOME lacks {' and '.join(missing)}")
    _refuse_network(str(where))
    return _client(str(where), home["api_key"], home["api_secret"], home.get("app_id"), home.get("location"))


def _client(
    backend: str, api_key: str, secret: str, app_id: str | None, location: str | None
) -> StreamClient:
    # With it comes what signs and sends, which only a process needs that talks to a backend.
    from django_stream.client import StreamClient

    options = {"timeout": stream_settings.TIMEOUT, **_route(backend, location)}
    return StreamClient(api_key, secret, app_id, **options)


def _refuse_network(backend: str) -> None:
    if backend != EMBEDDED and _under_test() and not stream_settings.NETWORK_IN_TESTS:
        raise NetworkInTests(
            f"STREAM_BACKEND is {backend!r}, and tests reach no network: set it to 'embedded' for them, "
            "or set STREAM_NETWORK_IN_TESTS if they are meant to"
        )


def _route(backend: str, location: str | None) -> dict[str, Any]:
    """How the client reaches a backend."""
    if backend == EMBEDDED:
        return {"transport": imported(stream_settings.TRANSPORT)()}
    return {"location": location} if backend == HOSTED else {"base_url": backend}


def _under_test() -> bool:
    """Whether mail is collected in `mail.outbox`, which Django documents for tests and its runners create."""
    return hasattr(mail, "outbox")


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX) or setting == "SECRET_KEY":
        get_client.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_stream.backends")
