"""System checks for `check --deploy`: what is right on a laptop and wrong on a site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connections

from django_stream.server.feed_store import database

# As Django's own check of the key, and keys that everybody can read.
_KEY_LENGTH, _KEY_CHARACTERS = 50, 5
_KNOWN = ("django-insecure-", "the-example-is-no-secret")


def check_deployment(**_: Any) -> list[CheckMessage]:
    """Secrets that can be guessed, connections that are not looked at before they are used."""
    return [*_secrets(), *_connections()]


def _secrets() -> Iterator[CheckMessage]:
    for name, key in _keys():
        if key.startswith(_KNOWN) or len(key) < _KEY_LENGTH or len(set(key)) < _KEY_CHARACTERS:
            yield Warning(
                f"The secrets of the API's keys are derived from {name}, which can be guessed or is known.",
                hint=f"Whoever has it can sign any token. Use {_KEY_LENGTH} random characters or more: "
                "django.core.management.utils.get_random_secret_key() makes them.",
                id="django_stream_server.W010",
            )


def _keys() -> Iterator[tuple[str, str]]:
    yield "SECRET_KEY", str(settings.SECRET_KEY)
    for number, key in enumerate(settings.SECRET_KEY_FALLBACKS):
        yield f"SECRET_KEY_FALLBACKS[{number}]", str(key)


def _connections() -> Iterator[CheckMessage]:
    alias = database()
    options = connections[alias].settings_dict
    # A connection to SQLite is a file, which no restart takes away.
    if connections[alias].vendor == "sqlite":
        return
    has_pool, is_kept = options.get("OPTIONS", {}).get("pool"), options.get("CONN_MAX_AGE") != 0
    if getattr(settings, "ASGI_APPLICATION", None) and is_kept and not has_pool:
        yield Warning(
            f"Under ASGI, each thread keeps a connection to the database {alias!r}: soon there are too many.",
            hint=f"Set DATABASES[{alias!r}]['CONN_MAX_AGE'] = 0, and a pool in its OPTIONS: "
            "{'pool': {'max_size': 20}} with psycopg[pool].",
            id="django_stream_server.W012",
        )
    if (is_kept or has_pool) and not options.get("CONN_HEALTH_CHECKS"):
        yield Warning(
            f"Connections to the database {alias!r} outlive a request, and none is tried before its use.",
            hint="After a restart of the database each of them fails one request. Set "
            f"DATABASES[{alias!r}]['CONN_HEALTH_CHECKS'] = True.",
            id="django_stream_server.W011",
        )
