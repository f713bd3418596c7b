"""`check --deploy` names secrets that can be guessed, and connections that a restart breaks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from django_stream.server.deployment_checks import check_deployment

pytestmark = pytest.mark.django_db
GOOD = "y1#z5!k2q-9w@f7r+r2fdsn3*unjii9&9tvtjwx0b1c4d6e8g_hm"


def found(*ids: str) -> list[str]:
    return [message.id or "" for message in check_deployment() if not ids or message.id in ids]


@pytest.mark.parametrize(
    "key", ["short", "a" * 80, "django-insecure-" + GOOD, "the-example-is-no-secret-and-serves-your-own"]
)
@pytest.mark.parametrize("place", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
def test_a_key_that_can_be_guessed_is_named(settings: Any, key: str, place: str) -> None:
    settings.SECRET_KEY = GOOD
    setattr(settings, place, key if place == "SECRET_KEY" else [key])

    (message,) = [one for one in check_deployment() if one.id == "django_stream_server.W010"]

    assert place in message.msg


def test_a_random_key_is_fine(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = GOOD, [GOOD]

    assert found("django_stream_server.W010") == []


@pytest.mark.parametrize(
    ("age", "options", "checked", "warned"),
    [
        (0, {}, False, False),
        (60, {}, False, True),
        (None, {}, False, True),
        (60, {}, True, False),
        (0, {"pool": True}, False, True),
        (0, {"pool": True}, True, False),
    ],
)
@pytest.mark.parametrize("vendor", ["postgresql", "sqlite"])
def test_kept_connections_are_looked_at(
    monkeypatch: Any, vendor: str, age: int | None, options: Any, checked: bool, warned: bool
) -> None:
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", vendor)
    known = {"CONN_MAX_AGE": age, "OPTIONS": options, "CONN_HEALTH_CHECKS": checked}
    monkeypatch.setattr(connection, "settings_dict", connection.settings_dict | known)

    assert found("django_stream_server.W011") == (
        ["django_stream_server.W011"] if warned and vendor != "sqlite" else []
    )


@pytest.mark.parametrize(
    ("asgi", "age", "options", "warned"),
    [
        ("site.asgi.application", 60, {}, True),
        ("site.asgi.application", None, {}, True),
        ("site.asgi.application", 0, {}, False),
        ("site.asgi.application", 0, {"pool": {"max_size": 20}}, False),
        (None, 60, {}, False),
    ],
)
@pytest.mark.parametrize("vendor", ["postgresql", "sqlite"])
def test_threads_of_asgi_keep_no_connections(
    settings: Any,
    monkeypatch: Any,
    vendor: str,
    asgi: str | None,
    age: int | None,
    options: Any,
    warned: bool,
) -> None:
    settings.ASGI_APPLICATION = asgi
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", vendor)
    known = {"CONN_MAX_AGE": age, "OPTIONS": options, "CONN_HEALTH_CHECKS": True}
    monkeypatch.setattr(connection, "settings_dict", connection.settings_dict | known)

    assert found("django_stream_server.W012") == (
        ["django_stream_server.W012"] if warned and vendor != "sqlite" else []
    )


def test_the_command_runs_them(settings: Any, capsys: Any) -> None:
    settings.SECRET_KEY = "short"

    call_command("check", "--deploy", "--tag", "django_stream_server", fail_level="CRITICAL")

    assert "django_stream_server.W010" in capsys.readouterr().err
