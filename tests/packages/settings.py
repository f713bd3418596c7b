"""Settings of a site with the packages that change how models are saved: SQLite unless DATABASE_URL says."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES as _DATABASES

DATABASES = {"default": _DATABASES["default"]}
ROOT_URLCONF = "tests.urls"

LANGUAGE_CODE = "en"
LANGUAGES = (("en", "English"), ("de", "German"))
PARLER_LANGUAGES = {None: ({"code": "en"}, {"code": "de"}), "default": {"fallbacks": ["en"]}}
PARLER_ENABLE_CACHING = False

INSTALLED_APPS = [
    "modeltranslation",  # before the admin, as it asks for
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "rest_framework",
    "parler",
    "polymorphic",
    "reversion",
    "safedelete",
    "simple_history",
    "taggit",
    "django_stream",
    "django_stream.server",
    "tests.packages.twins",
]
