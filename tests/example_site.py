"""The example project's own settings, for tests of its pages."""

from __future__ import annotations

from typing import Any

from example_project import settings as example

_NAMES = (
    "LOGIN_REDIRECT_URL",
    "LOGIN_URL",
    "LOGOUT_REDIRECT_URL",
    "MIDDLEWARE",
    "ROOT_URLCONF",
    "STREAM_NEWS_FEEDS",
    "STREAM_SERVER_FEED_GROUPS",
    "TEMPLATES",
)


def use_example_settings(settings: Any) -> None:
    """Put the example's settings in force until the test ends."""
    for name in _NAMES:
        setattr(settings, name, getattr(example, name))
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
