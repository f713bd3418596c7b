"""The example project's own settings and relations, for tests of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django_stream.activities import relations
from example_project import settings as example
from example_project.social import people

_NAMES = (
    "LOGIN_REDIRECT_URL",
    "LOGIN_URL",
    "LOGOUT_REDIRECT_URL",
    "MIDDLEWARE",
    "ROOT_URLCONF",
    "STREAM_NEWS_FEEDS",
    "STREAM_NOTIFICATIONS_DIGEST_CLASS",
    "STREAM_SERVER_FEED_GROUPS",
    "TEMPLATES",
)


@contextmanager
def example_settings(settings: Any) -> Iterator[None]:
    """Put the example's settings in force, and let its mutes and blocks hide people."""
    for name in _NAMES:
        setattr(settings, name, getattr(example, name))
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with patch.object(relations, "_relations", {}):
        people.declare()
        yield
