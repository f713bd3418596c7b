"""System checks of replicas: what would be read from nowhere, or shared by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections
from django.utils.module_loading import import_string

from django_stream.database.replicas.middleware import replica_middleware
from django_stream.database.replicas.positions import primary_of
from django_stream.database.replicas.router import ReplicaRouter

_OF_ONE_PROCESS = ("django.core.cache.backends.locmem.", "django.core.cache.backends.dummy.")


def check_replicas(**_: Any) -> list[CheckMessage]:
    """`STREAM_REPLICA_OF` in `DATABASES`, and what reading from replicas takes beside it."""
    replicas = [alias for alias in connections if primary_of(alias)]
    return [*_wrong(replicas), *_missing()] if replicas else []


def _wrong(replicas: list[str]) -> Iterator[CheckMessage]:
    for alias in replicas:
        primary = primary_of(alias)
        if primary not in set(connections) - set(replicas):
            what = "is a replica itself" if primary in replicas else "does not exist"
            yield Error(
                f"DATABASES[{alias!r}] is a replica of {primary!r}, which {what}.",
                hint="STREAM_REPLICA_OF names the database that everything is written to.",
                id="django_stream.E100",
            )
        elif {connections[one].vendor for one in (alias, primary)} != {"postgresql"}:
            yield Error(
                f"DATABASES[{alias!r}] is a replica, and not of PostgreSQL.",
                hint="Only PostgreSQL tells how far a replica is. Remove STREAM_REPLICA_OF.",
                id="django_stream.E101",
            )
        elif not connections[alias].settings_dict["OPTIONS"].get("connect_timeout"):
            yield Warning(
                f"A request may wait for minutes for the replica {alias!r} when its host does not answer.",
                hint=f"Set DATABASES[{alias!r}]['OPTIONS']: connect_timeout to 2 seconds or so, and "
                "tcp_user_timeout to as many milliseconds.",
                id="django_stream.W103",
            )


def _missing() -> Iterator[CheckMessage]:
    if not any(issubclass(router, ReplicaRouter) for router in _routers()):
        yield Warning(
            "No page is read from a replica: no router knows them.",
            hint="Add 'django_stream.database.replicas.ReplicaRouter' to DATABASE_ROUTERS.",
            id="django_stream.W100",
        )
    if replica_middleware not in map(import_string, settings.MIDDLEWARE):
        yield Warning(
            "No page is read from a replica: nobody remembers what its visitor has written.",
            hint="Put 'django_stream.database.replicas.replica_middleware' first in MIDDLEWARE.",
            id="django_stream.W101",
        )
    if settings.CACHES["default"]["BACKEND"].startswith(_OF_ONE_PROCESS):
        yield Warning(
            "What an application has written is remembered by the cache, which each process has for itself.",
            hint="Clients of the API may miss what they wrote. Set CACHES['default'] to Redis or Memcached.",
            id="django_stream.W102",
        )


def _routers() -> list[type]:
    named = (import_string(one) if isinstance(one, str) else one for one in settings.DATABASE_ROUTERS)
    return [one if isinstance(one, type) else type(one) for one in named]
