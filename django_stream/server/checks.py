"""System checks of the server half: what can be known to be wrong at start."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from django_stream.database.tables import has_table
from django_stream.protocol.errors import ApiError
from django_stream.protocol.suggestions import did_you_mean
from django_stream.server.aggregation.formats import check_format
from django_stream.server.conf import PREFIX, ServerSettings, server_settings
from django_stream.server.events.channels import channel_at
from django_stream.server.extras import MissingExtra
from django_stream.server.feed_groups import IGNORED_OPTIONS, FeedGroup
from django_stream.server.feed_store import database
from django_stream.server.models import PulledPlacement
from django_stream.server.ranking.methods import RankingMethod
from django_stream.server.timelines import built

_RENAMED = {"STREAM_SERVER_STREAMS_REDIS_URL": "Call it STREAM_SERVER_STREAMS_WAKEUPS; the value stays."}


def check_settings(**_: Any) -> list[CheckMessage]:
    """Names, feed groups, app id, store, wake-ups and followers."""
    return [
        *_unknown_names(),
        *_feed_groups(),
        *_own_application(),
        *_store(),
        *_wakeups(),
        *_most_followers(),
    ]


def check_pulled_placements(databases: Collection[str] | None = None, **_: Any) -> list[CheckMessage]:
    """What readers must find has to be looked for; only where the database may be asked."""
    is_left = server_settings.PUSH_FOLLOWERS_MAX is None and "://" not in server_settings.TIMELINES
    if not is_left or database() not in (databases or ()):
        return []
    rows = PulledPlacement.objects.using(database())
    if not (has_table(PulledPlacement, database()) and rows.exists()):
        return []
    return [
        Error(
            f"{PREFIX}PUSH_FOLLOWERS_MAX is None, and {rows.count()} activities are not in the timelines of"
            " those who follow them",
            hint="Set it to a number that no feed has as followers, such as 10**9: nothing more is kept back"
            " then, and what was is found. To go back to None, run stream_repair with None before you serve"
            " with it, which brings what was kept back, and once more afterwards; then delete the rows of"
            f" {PulledPlacement._meta.db_table}. It mends the site's own application: feeds of others have"
            " 'Rebuild from the record' in the admin.",
            id="django_stream_server.E008",
        )
    ]


def _unknown_names() -> Iterator[CheckMessage]:
    valid = ServerSettings.names()
    for name in dir(settings):
        if name.startswith(PREFIX) and name not in valid:
            yield Warning(
                f"there is no setting {name}",
                hint=_RENAMED.get(name) or did_you_mean(name, valid),
                id="django_stream_server.W001",
            )


def _feed_groups() -> Iterator[CheckMessage]:
    configured: dict[str, Mapping[str, Mapping[str, Any]]] = {"FEED_GROUPS": server_settings.FEED_GROUPS}
    for app_id, groups in server_settings.APPLICATION_FEED_GROUPS.items():
        configured[f"APPLICATION_FEED_GROUPS[{app_id!r}]"] = groups
    for where, groups in configured.items():
        for slug, options in groups.items():
            yield from _feed_group(f"{PREFIX}{where}", slug, options)


def _feed_group(where: str, slug: str, options: Mapping[str, Any]) -> Iterator[CheckMessage]:
    try:
        group = FeedGroup.from_setting(slug, options)
    except (ValueError, TypeError) as error:
        yield Error(f"{where}: {error}", id="django_stream_server.E001")
        return
    for option in sorted(IGNORED_OPTIONS & set(options)):
        yield Warning(
            f"{where}: feed group {slug!r}: the option {option!r} has no effect",
            hint="Remove it.",
            id="django_stream_server.W003",
        )
    if group.grouped:
        try:
            check_format(group.aggregation_format)
        except MissingExtra as error:
            yield Error(f"{where}: feed group {slug!r}: {error}", id="django_stream_server.E002")
        except ApiError as error:
            yield Warning(
                f"{where}: feed group {slug!r}: {error.detail}",
                hint="Its feeds can be written to; reading them answers with code 14.",
                id="django_stream_server.W002",
            )
    for name, method in group.ranking.items():
        try:
            RankingMethod(method, datetime.now(UTC))
        except (ValueError, KeyError, TypeError) as error:
            yield Error(
                f"{where}: feed group {slug!r}: ranking method {name!r}: {error!r}",
                id="django_stream_server.E003",
            )


def _own_application() -> Iterator[CheckMessage]:
    try:
        assert server_settings.own_app_id
    except ValueError:
        yield Error(
            "STREAM_APP_ID must be a whole number",
            hint="App ids are numbers; leave it out to use the embedded application.",
            id="django_stream_server.E004",
        )


def _store() -> Iterator[CheckMessage]:
    try:
        built(server_settings.TIMELINES)
    except (ImportError, ImproperlyConfigured, TypeError, ValueError) as error:
        yield Error(f"{PREFIX}TIMELINES: {error}", id="django_stream_server.E005")


def _wakeups() -> Iterator[CheckMessage]:
    try:
        assert not server_settings.STREAMS_WAKEUPS or channel_at(server_settings.STREAMS_WAKEUPS)
    except (ImportError, ValueError) as error:
        yield Error(
            f"{PREFIX}STREAMS_WAKEUPS: {error}",
            hint="It is the URL of a Redis or a NATS. Without it, PostgreSQL wakes the readers.",
            id="django_stream_server.E006",
        )


def _most_followers() -> Iterator[CheckMessage]:
    most = server_settings.PUSH_FOLLOWERS_MAX
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        yield Error(
            f"{PREFIX}PUSH_FOLLOWERS_MAX must be None or a whole number from 0 on, not {most!r}",
            hint="With None, everything is brought to all followers.",
            id="django_stream_server.E007",
        )
    elif most is not None and "://" in server_settings.TIMELINES:
        yield Warning(
            f"{PREFIX}PUSH_FOLLOWERS_MAX has no effect: timelines on a cluster are brought everything",
            hint="Take it out.",
            id="django_stream_server.W004",
        )
    elif most is not None and connections[database()].vendor == "mysql":
        yield Error(
            f"{PREFIX}PUSH_FOLLOWERS_MAX is for PostgreSQL and SQLite: MariaDB cannot read such pages",
            hint="Take it out.",
            id="django_stream_server.E009",
        )
