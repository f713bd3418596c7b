"""Typed settings of the site's half: each is a Django setting named `STREAM_<NAME>`, read when used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from django_stream.protocol import credentials

PREFIX = "STREAM_"

RENAMED = {"STREAM_HOME": "STREAM_BACKEND", "STREAM_PERSONAL_FEED": "STREAM_NOTIFICATION_FEED"}
"""Former names of settings. Under such a name a setting would be ignored, so it is refused."""


_CREDENTIALS = {"API_KEY", "API_SECRET", "APP_ID"}


class StreamSettings:
    """Every setting with its type and default; a value in Django's settings wins."""

    BACKEND: str = "embedded"
    """Where the feeds live: "embedded", "hosted", or the base URL of a server of one's own."""
    API_KEY: str = credentials.EMBEDDED_API_KEY
    API_SECRET: str | None = None
    """None derives the embedded server's secret from SECRET_KEY."""
    APP_ID: str = credentials.EMBEDDED_APP_ID
    LOCATION: str | None = None
    """Region of the hosted service, such as "eu-west"."""
    TIMEOUT: float = 3.0
    """Seconds for one call of the API."""
    OTHER_HOME: Mapping[str, str] = {}
    """Where the feeds are to live, or have lived: backend, api_key, api_secret, app_id and location of it."""
    SHADOW_READS: float = 0.0
    """The share of feed reads, from 0 to 1, that are also asked of OTHER_HOME, and compared."""
    TRANSPORT: str = "django_stream.server.transport.EmbeddedTransport"
    """Dotted path of the transport that reaches the embedded server."""

    USER_FEED: str = "user"
    NEWS_FEEDS: Mapping[str, str] | Sequence[str] = ("timeline", "timeline_aggregated")
    """Feed groups that follow on behalf of a user."""
    NOTIFICATION_FEED: str = "notification"
    CONTEXT_FEEDS: Sequence[str] = ()
    """Which of "object", "target" and "model" have feeds of what is said about them."""
    FOLLOW_MODEL: str | None = None
    """Label of the model by which buttons and the JSON API let users follow users; None: the only one."""
    FOLLOWABLE: Sequence[str] = ()
    """Labels of the models, besides the user model, whose rows the buttons of `django_stream.urls` follow."""
    EVERYTHING_FEED: str | None = None
    """The feed that `feeds.everything()` reads, such as "news:all"."""
    FEED_MANAGER_CLASS: str = "django_stream.feeds.FeedManager"
    ACTIVITY_COPY_LIMIT: int = 100
    """Activities copied into a follower's feeds at the moment of the follow."""

    NOTIFICATIONS_BASE_URL: str = ""
    """The address of the site, such as "https://example.com", before the links in e-mails."""
    NOTIFICATIONS_DIGEST: Literal["off", "daily", "weekly"] = "off"
    """How often those who chose nothing else get e-mails of what they have not seen."""
    NOTIFICATIONS_DIGEST_CLASS: str = "django_stream.notifications.Digest"
    """What makes the e-mails."""
    NOTIFICATIONS_REPEAT_SECONDS: float = 86400.0
    """What somebody was told of is not new again for so long: like, unlike, like."""

    API_REACTIONS: Sequence[str] = ()
    """Kinds of reactions that the JSON API lists, adds and deletes, such as "like"."""

    CAPTURE: Literal["signals", "database"] = "signals"
    """Who notes that rows changed: Django's signals, or triggers in the database, which see all writers."""
    TRIGGERS_WITH_MIGRATE: bool = True
    """Whether `migrate` creates and drops these triggers, as declared."""

    DISABLE_MODEL_TRACKING: bool = False
    """True: saved rows publish nothing."""
    MISSING_OBJECTS: Literal["drop", "placeholder", "raise"] = "drop"
    """What a page does with an activity whose actor, object or target is gone."""

    OUTBOX_BATCH_SIZE: int = 500
    OUTBOX_WINDOW_SECONDS: float = 0.0
    """Changes wait this long for others of the same object. Needs Celery, or a drain by cron."""
    OUTBOX_LEASE_SECONDS: float = 300.0
    """A worker that is silent for this long is taken for dead, and its batch is retried."""
    OUTBOX_RETRY_BASE_SECONDS: float = 5.0
    OUTBOX_RETRY_CAP_SECONDS: float = 3600.0
    OUTBOX_MAX_ATTEMPTS: int = 20
    """After this many failures a change is parked with its reason."""
    OUTBOX_ALARM_SECONDS: float = 300.0
    """The health view answers 503 when a change has waited this long."""
    NETWORK_IN_TESTS: bool = False
    """True lets tests call a backend outside of the process."""
    INLINE_DRAIN: Literal["commit", "response"] = "commit"
    """When a process without workers publishes: as part of the commit, or when the response has gone out."""
    WORKERS: Literal["celery", "django"] = "celery"
    """Who has the workers: Celery, or the backend of django.tasks (Django 6.0 and newer)."""
    CELERY_QUEUE: str | None = None
    """Queue of the drains that single changes wake; None is Celery's default queue."""
    CELERY_BULK_QUEUE: str | None = None
    """Queue of the drains that bulk operations wake."""

    @classmethod
    def names(cls) -> list[str]:
        """All valid setting names, with prefix."""
        return [PREFIX + name for name in cls.__annotations__]

    def __getattribute__(self, name: str) -> Any:
        if name.isupper():
            default = super().__getattribute__(name)
            value = getattr(django_settings, PREFIX + name, default)
            # Sites read these from the environment, where "nothing" may be an empty text.
            return default if name in _CREDENTIALS and value in ("", None) else value
        return super().__getattribute__(name)

    @property
    def secret(self) -> str:
        """The API secret in force."""
        return self.API_SECRET or credentials.embedded_secret(django_settings.SECRET_KEY)

    @property
    def news_feeds(self) -> dict[str, str]:
        """News feeds as {name: slug}, whichever way they are written in the settings."""
        feeds = self.NEWS_FEEDS
        return dict(feeds) if isinstance(feeds, Mapping) else {slug: slug for slug in feeds}


stream_settings = StreamSettings()


@lru_cache(maxsize=32)
def imported(dotted_path: str) -> Any:
    """Resolve a dotted path once; ImportError names the path."""
    return import_string(dotted_path)


def renamed_settings() -> dict[str, str]:
    """Former names that the project still uses, with their present ones."""
    return {old: new for old, new in RENAMED.items() if hasattr(django_settings, old)}


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX) or setting == "SECRET_KEY":
        imported.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_stream.conf")
