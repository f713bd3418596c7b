"""Settings of a shop by django-oscar, as its own documentation has them: SQLite unless DATABASE_URL says."""

from __future__ import annotations

import dj_database_url
from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403

from tests.settings import MIDDLEWARE, TEMPLATES  # noqa: F401

SECRET_KEY = "tests"
USE_TZ = True
SITE_ID = 1
ROOT_URLCONF = "tests.packages.shop.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
MEDIA_ROOT = "var/media"
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
HAYSTACK_SIGNAL_PROCESSOR = "haystack.signals.BaseSignalProcessor"  # there is no index to keep

DATABASES = {"default": dj_database_url.config(default="sqlite:///var/shop.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}

INSTALLED_APPS = [*OSCAR_APPS, "django_stream", "django_stream.server", "tests.packages.shop"]
