"""Typed settings of the server half, each named `STREAM_SERVER_<NAME>`, and read when first used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed

from django_stream.protocol import credentials

PREFIX = "STREAM_SERVER_"

DEFAULT_FEED_GROUPS: Mapping[str, Mapping[str, Any]] = {
    "user": {"kind": "flat"},
    "timeline": {"kind": "flat"},
    "timeline_aggregated": {"kind": "aggregated"},
    "notification": {"kind": "notification"},
}


class ServerSettings:
    """Every setting with its type and default; a value in Django's settings wins."""

    FEED_GROUPS: Mapping[str, Mapping[str, Any]] = DEFAULT_FEED_GROUPS
    """The feed groups of every application: {slug: {"kind": ..., ...}}."""
    APPLICATION_FEED_GROUPS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {}
    """Groups of single applications, by app id; they replace FEED_GROUPS for that application."""
    TIMELINES: str = "django_stream.server.timelines.database.DatabaseTimelines"
    """The timeline store: its dotted path, or the address of a Redis Cluster that holds flat timelines."""
    TIMELINES_LENGTH: int = 1_000
    """So many of the newest entries of a timeline are kept on the cluster."""
    TIMELINES_IDLE_SECONDS: float = 7 * 24 * 3600.0
    """A timeline that nobody reads for so long is forgotten there, and computed for the next reader."""
    TIMELINES_PREFIX: str = "timelines"
    """With this its keys begin: sites that share a cluster need a prefix each."""
    FANOUT_INLINE_MAX: int = 5_000
    """So many rows of timelines, followers times activities, are written in the writer's own transaction."""
    FANOUT_REQUEST_MAX: int = 500
    """So many in a request, where there is no worker for the rest: a thread of the process does it."""
    FANOUT_CHUNK: int = 25_000
    """Rows written in one transaction at most beyond that."""
    FANOUT_STEP_SECONDS: float = 0.1
    """Seconds that such a transaction should take: it writes as many rows as those before it managed."""
    PUSH_FOLLOWERS_MAX: int | None = None
    """With more followers, what is placed on a feed is found by their flat feeds when these are read."""
    FANOUT_QUEUE: str | None = None
    """The Celery queue of large fan-outs; None is Celery's default queue."""
    TOKEN_LEEWAY_SECONDS: float = 10.0
    """Seconds that clocks may differ when a token carries iat, nbf or exp."""
    KEY_ROTATION_SECONDS: float = 7 * 24 * 3600.0
    """Seconds that the former secret of a rotated key stays valid."""
    RATE_LIMITS: Mapping[str, tuple[int, int, int] | None] = {}
    """Calls per minute, quarter hour and hour by family, over the published defaults; None: unlimited."""
    AUDIT_LOG: bool = True
    """Whether changes are written to the audit log, which `audit_logs/` reads."""
    AUDIT_LOG_DAYS: int = 90
    """Age in days at which `stream_server_maintain` deletes entries."""
    STREAMS: bool = True
    """Whether changes are logged for App Streams where an application asks for them."""
    STREAMS_NOTICE_SECONDS: float = 1.0
    """For so long a process may not know of a new stream; creating one takes as long."""
    STREAMS_LOG_DAYS: float = 7.0
    """Age in days at which `stream_server_maintain` deletes events."""
    STREAMS_LOG_EVENTS_MAX: int = 1_000_000
    """So many of the newest events are kept."""
    STREAMS_HEARTBEAT_SECONDS: float = 15.0
    """A connection on which nothing happens is sent a sign of life so often."""
    STREAMS_QUEUE_MAX: int = 1000
    """Events that wait for one reader; with more, it goes back to reading the log."""
    STREAMS_SLOW_SECONDS: float = 30.0
    """A reader that takes nothing for so long is cut off."""
    STREAMS_READERS_MAX: int = 10_000
    """Connections of one process."""
    STREAMS_POLL_SECONDS: float = 1.0
    """So often the log is looked at where nothing wakes its readers, or a wake-up is lost."""
    STREAMS_WAKEUPS: str = ""
    """The URL of a Redis or a NATS that wakes readers; empty: PostgreSQL does, and elsewhere the clock."""
    CORS_ORIGINS: tuple[str, ...] = ("*",)
    """Origins that browsers may call from."""
    PUBLIC_URL: str = ""
    """Scheme and host of this server, for absolute addresses; if empty, that of the request."""
    ANSWER_BYTES_MAX: int = 8 * 1024 * 1024
    """An enriched page ends early, with `next`, when it holds so much of what it refers to."""
    DATA_BYTES_MAX: int = 64 * 1024
    """Largest `data` of a user, a collection entry or a reaction."""
    FILE_STORAGE: str = "default"
    """Alias in STORAGES of where uploads are kept."""
    FILE_DIRECT_URLS: bool = False
    """Whether files are read from the storage's own URLs and not through this server."""
    FILE_BYTES_MAX: int = 20 * 1024 * 1024
    """Largest file that is taken."""
    FILE_TYPES: tuple[str, ...] = ()
    """Content types that files/ takes, found by looking inside; empty takes every file."""
    IMAGE_PIXELS_MAX: int = 50_000_000
    """Largest JPEG. All frames together, a PNG or GIF may have a third of it and a WebP a seventh."""
    IMAGE_SIZES_MAX: int = 20
    """So many other sizes can be made of one image."""
    IMAGE_SIDE_MAX: int = 2048
    """Longest side of an image that is made from another one."""
    OPEN_GRAPH_SECONDS: float = 5.0
    """Seconds that a page may take to arrive, redirects included."""
    OPEN_GRAPH_BYTES: int = 1024 * 1024
    """Bytes of a page that are read at most."""
    OPEN_GRAPH_CACHE_SECONDS: int = 3600
    """Seconds that the answer about a page is cached."""
    BODY_BYTES_MAX: int = 8 * 1024 * 1024
    """Largest JSON body that is read."""

    @classmethod
    def names(cls) -> list[str]:
        """All valid setting names, with prefix."""
        return [PREFIX + name for name in cls.__annotations__]

    def __getattribute__(self, name: str) -> Any:
        return _value(name) if name.isupper() else super().__getattribute__(name)

    @property
    def own_key(self) -> str:
        """The API key of the site that embeds this server."""
        return _of_site("STREAM_API_KEY") or credentials.EMBEDDED_API_KEY

    @property
    def own_secret(self) -> str:
        """That key's secret: from the settings, never stored."""
        given = _of_site("STREAM_API_SECRET")
        return given or credentials.embedded_secret(django_settings.SECRET_KEY)

    @property
    def own_app_id(self) -> int:
        """The site's own application; app ids are whole numbers here as on the hosted service."""
        return int(_of_site("STREAM_APP_ID") or credentials.EMBEDDED_APP_ID)


@cache
def _value(name: str) -> Any:
    # Django searches for an absent setting each time. A page reads ten settings, and most are absent.
    return getattr(django_settings, PREFIX + name, getattr(ServerSettings, name))


@cache
def _of_site(name: str) -> Any:
    """Likewise, a setting of the site's half, None where it is absent."""
    return getattr(django_settings, name, None)


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith("STREAM_"):
        _value.cache_clear()
        _of_site.cache_clear()


server_settings = ServerSettings()
setting_changed.connect(_forget, dispatch_uid="django_stream.server.conf")
