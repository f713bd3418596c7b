"""System checks of the settings, and of the feed groups that settings and declarations name."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections
from django.utils.module_loading import import_string

from django_stream.activities.registry import declared_feeds
from django_stream.backends import EMBEDDED, is_backend
from django_stream.conf import PREFIX, RENAMED, StreamSettings, renamed_settings, stream_settings
from django_stream.protocol import credentials
from django_stream.protocol.suggestions import did_you_mean
from django_stream.publishing.lease_guard import longest_call
from django_stream.wakeup import celery_is_configured

_SERVER = "STREAM_SERVER_"
# HS256 keys should have the length of their digest (RFC 7518, section 3.2).
_SECRET_LENGTH = 32
_MISSING_OBJECTS = ("drop", "placeholder", "raise")
_COMPATIBLE = {"STREAM_URL", "STREAM_REGION"}


def check_settings(**_: Any) -> list[CheckMessage]:
    if wrong := _types():
        return [*_renamed(), *_unknown_names(), *wrong]
    checks = (_renamed, _unknown_names, _backend, _lease, _outbox, _feeds, _dotted_paths, _celery, _sqlite)
    return [problem for check in checks for problem in check()]


def _renamed() -> list[CheckMessage]:
    return [
        Error(
            f"The setting {old} is now called {new}.",
            hint=f"Rename it to {new}; the value stays the same.",
            id="django_stream.E019",
        )
        for old, new in renamed_settings().items()
    ]


def _unknown_names() -> list[CheckMessage]:
    valid = {*stream_settings.names(), *_COMPATIBLE}
    return [
        Warning(
            f"{name} is not a setting of django_stream.",
            hint=did_you_mean(name, sorted(valid), otherwise="The settings are listed in docs/settings.md."),
            id="django_stream.W001",
        )
        for name in dir(django_settings)
        if name.startswith(PREFIX) and not name.startswith(_SERVER) and name not in {*valid, *RENAMED}
    ]


def _backend() -> list[CheckMessage]:
    backend = stream_settings.BACKEND
    problems: list[CheckMessage] = []
    if not is_backend(backend):
        problems.append(
            Error(
                f"STREAM_BACKEND is {backend!r}.",
                hint="Use 'embedded', 'hosted', or the base URL of a server, such as 'https://feeds.example.com'.",
                id="django_stream.E010",
            )
        )
    has_key = stream_settings.API_SECRET and stream_settings.API_KEY != credentials.EMBEDDED_API_KEY
    if backend != EMBEDDED and not has_key:
        problems.append(
            Error(
                f"STREAM_BACKEND is {backend!r}, but the credentials for it are missing.",
                hint="Set STREAM_API_KEY and STREAM_API_SECRET to a key of that server.",
                id="django_stream.E011",
            )
        )
    if stream_settings.API_SECRET and len(stream_settings.API_SECRET) < _SECRET_LENGTH:
        problems.append(
            Warning(
                f"STREAM_API_SECRET has fewer than {_SECRET_LENGTH} characters.",
                hint="Tokens signed with it can be forged by trying secrets. Use a longer one.",
                id="django_stream.W012",
            )
        )
    return problems


def _types() -> list[CheckMessage]:
    """Settings that are numbers or switches, and were given as something else."""
    valid = {"float": (int, float), "int": (int,), "bool": (bool,), "str": (str,)}
    problems: list[CheckMessage] = []
    for name, annotation in StreamSettings.__annotations__.items():
        value = getattr(stream_settings, name)
        if annotation in valid and not isinstance(value, valid[annotation]):
            problems.append(
                Error(
                    f"{PREFIX}{name} is {value!r}.",
                    hint=f"Give a value of type {annotation}.",
                    id="django_stream.E014",
                )
            )
    return problems


def _lease() -> list[CheckMessage]:
    """A lease must outlast one call: a worker sends only what is certain to be answered before it ends."""
    longest = longest_call(stream_settings.TIMEOUT)
    if longest < stream_settings.OUTBOX_LEASE_SECONDS:
        return []
    return [
        Error(
            f"STREAM_OUTBOX_LEASE_SECONDS is {stream_settings.OUTBOX_LEASE_SECONDS}, and one call of the API "
            f"may take {longest:g} seconds: nothing would ever be sent.",
            hint="Make it several times as long, or lower STREAM_TIMEOUT.",
            id="django_stream.E015",
        )
    ]


def _outbox() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if stream_settings.OUTBOX_BATCH_SIZE < 1:
        problems.append(
            Error(
                f"STREAM_OUTBOX_BATCH_SIZE is {stream_settings.OUTBOX_BATCH_SIZE}: nothing would be sent.",
                hint="Give at least 1; 500 is the default.",
                id="django_stream.E016",
            )
        )
    if stream_settings.MISSING_OBJECTS not in _MISSING_OBJECTS:
        problems.append(
            Error(
                f"STREAM_MISSING_OBJECTS is {stream_settings.MISSING_OBJECTS!r}.",
                hint=f"Use one of {', '.join(map(repr, _MISSING_OBJECTS))}.",
                id="django_stream.E017",
            )
        )
    return problems


def _feeds() -> list[CheckMessage]:
    """Feed groups that the server in this very process does not have."""
    if isinstance(stream_settings.NEWS_FEEDS, str):
        return [
            Error(
                f"STREAM_NEWS_FEEDS is the text {stream_settings.NEWS_FEEDS!r}.",
                hint=f"It must be a list or a tuple: ({stream_settings.NEWS_FEEDS!r},).",
                id="django_stream.E018",
            )
        ]
    if stream_settings.BACKEND != EMBEDDED:
        return []
    used = [
        ("STREAM_USER_FEED", stream_settings.USER_FEED),
        *(("STREAM_NEWS_FEEDS", slug) for slug in stream_settings.news_feeds.values()),
        ("STREAM_NOTIFICATION_FEED", stream_settings.NOTIFICATION_FEED),
        *declared_feeds(),
    ]
    groups = _groups()
    return [
        Warning(
            f"{name} names '{slug}', a feed group that the embedded server does not have.",
            hint=f"STREAM_SERVER_FEED_GROUPS lists them all: {', '.join(sorted(groups))}.",
            id="django_stream.W013",
        )
        for name, slug in used
        if slug not in groups
    ]


def _groups() -> set[str]:
    """Feed groups of the embedded server, read from Django's settings, since this half never imports it."""
    own = getattr(django_settings, f"{_SERVER}APPLICATION_FEED_GROUPS", {})
    groups = own.get(stream_settings.APP_ID, getattr(django_settings, f"{_SERVER}FEED_GROUPS", None))
    defaults = {StreamSettings.USER_FEED, *StreamSettings.NEWS_FEEDS, StreamSettings.NOTIFICATION_FEED}
    return defaults if groups is None else set(groups)


def _dotted_paths() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    names = ["FEED_MANAGER_CLASS"] + (["TRANSPORT"] if stream_settings.BACKEND == EMBEDDED else [])
    for name in names:
        path = getattr(stream_settings, name)
        try:
            import_string(path)
        except ImportError as error:
            problems.append(
                Error(
                    f"{PREFIX}{name} cannot be imported: {error}",
                    hint="Correct the path.",
                    id="django_stream.E012",
                )
            )
    if stream_settings.BACKEND == EMBEDDED and "django_stream.server" not in _installed():
        problems.append(
            Error(
                "The feeds live in this site's own database, but the server is not installed.",
                hint="Add 'django_stream.server' to INSTALLED_APPS, or set STREAM_BACKEND to another server.",
                id="django_stream.E013",
            )
        )
    return problems


def _installed() -> set[str]:
    from django.apps import apps

    return {config.name for config in apps.get_app_configs()}


def _celery() -> list[CheckMessage]:
    from celery import current_app

    if not celery_is_configured():
        if stream_settings.BACKEND == EMBEDDED:
            return []
        return [
            Warning(
                "The backend is behind a network, and Celery has no broker: each commit waits for the API.",
                hint="Configure a Celery app with a broker, or silence this check by SILENCED_SYSTEM_CHECKS.",
                id="django_stream.W020",
            )
        ]
    conf = current_app.conf
    if conf.task_always_eager and not conf.task_eager_propagates:
        return [
            Warning(
                "Celery runs tasks eagerly and swallows their errors.",
                hint="Unset task_always_eager: without a broker, changes leave after commit. "
                "Or set task_eager_propagates.",
                id="django_stream.W021",
            )
        ]
    return []


def _sqlite() -> list[CheckMessage]:
    return [
        Warning(
            f"The SQLite database '{alias}' begins transactions without the write lock.",
            hint='Set OPTIONS["transaction_mode"] = "IMMEDIATE", or writers may meet "database is locked".',
            id="django_stream.W030",
        )
        for alias in connections
        if connections[alias].vendor == "sqlite"
        and connections[alias].settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE"
    ]
