"""System checks of the settings, and of the feed groups that settings and declarations name."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec
from typing import Any

from django import VERSION
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections
from django.utils.module_loading import import_string

from django_stream.activities.context_feeds import GROUPS
from django_stream.activities.registry import declared_feeds
from django_stream.backends import EMBEDDED, is_backend
from django_stream.conf import PREFIX, RENAMED, StreamSettings, renamed_settings, stream_settings
from django_stream.feeds.manager import NOT_CALLED
from django_stream.protocol import credentials
from django_stream.protocol.suggestions import did_you_mean
from django_stream.publishing.lease_guard import longest_call
from django_stream.setting_types import SoundSettings, wrong_types
from django_stream.wakeup import celery_is_configured

_SERVER = "STREAM_SERVER_"
# HS256 keys should have the length of their digest (RFC 7518, section 3.2).
_SECRET_LENGTH = 32
_COMPATIBLE = {"STREAM_URL", "STREAM_REGION"}


def check_settings(**_: Any) -> list[CheckMessage]:
    wrong = wrong_types()
    sound = SoundSettings(wrong)
    checks = (
        *(_backend, _lease, _outbox, _feeds, _context_feeds, _followable),
        *(_dotted_paths, _feed_manager, _strange_key, _workers),
    )
    problems = [*_renamed(), *_unknown_names(), *wrong.values(), *_sqlite()]
    return [*problems, *(problem for check in checks for problem in check(sound))]


def check_condition(databases: Collection[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The quick part of `stream_doctor`; of databases only those that `check --database` names."""
    from django_stream.operations.doctor import QUICK_CHECK, examine_quickly

    return [
        Warning(f"{one.about}: {one.text}.", hint=one.remedy or None, id=QUICK_CHECK)
        for one in examine_quickly(databases or ())
        if one.level != "ok"
    ]


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


def _backend(settings: StreamSettings) -> list[CheckMessage]:
    backend = settings.BACKEND
    problems: list[CheckMessage] = []
    if not is_backend(backend):
        problems.append(
            Error(
                f"STREAM_BACKEND is {backend!r}.",
                hint="Use 'embedded', 'hosted', or the base URL of a server, such as 'https://feeds.example.com'.",
                id="django_stream.E010",
            )
        )
    has_key = settings.API_SECRET and settings.API_KEY != credentials.EMBEDDED_API_KEY
    if backend != EMBEDDED and not has_key:
        problems.append(
            Error(
                f"STREAM_BACKEND is {backend!r}, but the credentials for it are missing.",
                hint="Set STREAM_API_KEY and STREAM_API_SECRET to a key of that server.",
                id="django_stream.E011",
            )
        )
    if settings.API_SECRET and len(settings.API_SECRET) < _SECRET_LENGTH:
        problems.append(
            Warning(
                f"STREAM_API_SECRET has fewer than {_SECRET_LENGTH} characters.",
                hint="Tokens signed with it can be forged by trying secrets. Use a longer one.",
                id="django_stream.W012",
            )
        )
    return problems


def _lease(settings: StreamSettings) -> list[CheckMessage]:
    """A lease must outlast one call: a worker sends only what is certain to be answered before it ends."""
    longest = longest_call(settings.TIMEOUT)
    if longest < settings.OUTBOX_LEASE_SECONDS:
        return []
    return [
        Error(
            f"STREAM_OUTBOX_LEASE_SECONDS is {settings.OUTBOX_LEASE_SECONDS}, and one call of the API "
            f"may take {longest:g} seconds: nothing would ever be sent.",
            hint="Make it several times as long, or lower STREAM_TIMEOUT.",
            id="django_stream.E015",
        )
    ]


def _outbox(settings: StreamSettings) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.OUTBOX_BATCH_SIZE < 1:
        problems.append(
            Error(
                f"STREAM_OUTBOX_BATCH_SIZE is {settings.OUTBOX_BATCH_SIZE}: nothing would be sent.",
                hint="Give at least 1; 500 is the default.",
                id="django_stream.E016",
            )
        )
    return problems


def _feeds(settings: StreamSettings) -> list[CheckMessage]:
    """Feed groups that the server in this very process does not have."""
    if settings.BACKEND != EMBEDDED:
        return []
    used = [
        ("STREAM_USER_FEED", settings.USER_FEED),
        *(("STREAM_NEWS_FEEDS", slug) for slug in settings.news_feeds.values()),
        ("STREAM_NOTIFICATION_FEED", settings.NOTIFICATION_FEED),
        *(("STREAM_CONTEXT_FEEDS", slug) for slug in settings.CONTEXT_FEEDS if slug in GROUPS),
        *declared_feeds(),
    ]
    groups = _groups(settings)
    return [
        Warning(
            f"{name} names '{slug}', a feed group that the embedded server does not have.",
            hint=f"STREAM_SERVER_FEED_GROUPS lists them all: {', '.join(sorted(groups))}.",
            id="django_stream.W013",
        )
        for name, slug in used
        if slug not in groups
    ]


def _context_feeds(settings: StreamSettings) -> list[CheckMessage]:
    return [
        Error(
            f"STREAM_CONTEXT_FEEDS names {slug!r}, and activities have no feed of that.",
            hint=f"It may hold {', '.join(map(repr, GROUPS))}.",
            id="django_stream.E072",
        )
        for slug in settings.CONTEXT_FEEDS
        if slug not in GROUPS
    ]


def _followable(settings: StreamSettings) -> list[CheckMessage]:
    from django.apps import apps

    labels = {model._meta.label.lower(): model._meta.label for model in apps.get_models()}
    return [
        Error(
            f"STREAM_FOLLOWABLE names {label!r}, which is no model of an installed app.",
            hint=did_you_mean(str(label), sorted(labels.values()), otherwise="Name models as 'app.Model'."),
            id="django_stream.E074",
        )
        for label in settings.FOLLOWABLE
        if str(label).lower() not in labels
    ]


def _groups(settings: StreamSettings) -> set[str]:
    """Feed groups of the embedded server, read from Django's settings, since this half never imports it."""
    own = getattr(django_settings, f"{_SERVER}APPLICATION_FEED_GROUPS", {})
    groups = own.get(settings.APP_ID, getattr(django_settings, f"{_SERVER}FEED_GROUPS", None))
    defaults = {StreamSettings.USER_FEED, *StreamSettings.NEWS_FEEDS, StreamSettings.NOTIFICATION_FEED}
    return defaults if groups is None else set(groups)


def _dotted_paths(settings: StreamSettings) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    names = ["FEED_MANAGER_CLASS"] + (["TRANSPORT"] if settings.BACKEND == EMBEDDED else [])
    for name in names:
        path = getattr(settings, name)
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
    if settings.BACKEND == EMBEDDED and "django_stream.server" not in _installed():
        problems.append(
            Error(
                "The feeds live in this site's own database, but the server is not installed.",
                hint="Add 'django_stream.server' to INSTALLED_APPS, or set STREAM_BACKEND to another server.",
                id="django_stream.E013",
            )
        )
    return problems


def _feed_manager(settings: StreamSettings) -> list[CheckMessage]:
    """Methods of stream-django's manager that a project replaces, and that nobody calls here."""
    try:
        manager = import_string(settings.FEED_MANAGER_CLASS)
    except ImportError:  # told by another check
        return []
    return [
        Error(
            f"{settings.FEED_MANAGER_CLASS}.{name}() is never called.",
            hint=f"{why[0].upper()}{why[1:]}.",
            id="django_stream.E070",
        )
        for name, why in NOT_CALLED.items()
        if hasattr(manager, name)
    ]


def _strange_key(settings: StreamSettings) -> list[CheckMessage]:
    """A key for elsewhere, with which the package of the hosted service would go there."""
    strange = settings.API_KEY != credentials.EMBEDDED_API_KEY
    if settings.BACKEND != EMBEDDED or not strange or find_spec("stream") is None:
        return []
    return [
        Warning(
            "The feeds are embedded, and STREAM_API_KEY is set: clients that are made by stream.connect() "
            "talk to the hosted service.",
            hint="Use django_stream.feeds.feed_manager.client in their place, and take STREAM_API_KEY and "
            "STREAM_API_SECRET out of the settings; STREAM_APP_ID stays, since the feeds are kept by it. "
            "Where browsers or other programs call the embedded server by this key, silence this check.",
            id="django_stream.W070",
        )
    ]


def _installed() -> set[str]:
    from django.apps import apps

    return {config.name for config in apps.get_app_configs()}


def _workers(settings: StreamSettings) -> list[CheckMessage]:
    return _django_tasks() if settings.WORKERS == "django" else _celery(settings)


def _django_tasks() -> list[CheckMessage]:
    if VERSION < (6, 0):
        return [
            Error(
                "STREAM_WORKERS is 'django', and Django has tasks from 6.0 on.",
                hint="Upgrade Django, or take it out and configure a Celery app with a broker.",
                id="django_stream.E022",
            )
        ]
    from django.tasks import task_backends
    from django.tasks.backends.dummy import DummyBackend
    from django.tasks.backends.immediate import ImmediateBackend

    if not isinstance(task_backends["default"], DummyBackend | ImmediateBackend):
        return []
    return [
        Warning(
            "STREAM_WORKERS is 'django', and the default backend of TASKS has no workers: it runs tasks "
            "inside the commit, or never.",
            hint="Let TASKS name a backend with workers, such as that of django-tasks-db.",
            id="django_stream.W022",
        )
    ]


def _celery(settings: StreamSettings) -> list[CheckMessage]:
    from celery import current_app

    if not celery_is_configured():
        if settings.BACKEND == EMBEDDED:
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
