"""Settings of the test suite: SQLite unless DATABASE_URL names another database."""

import os
from typing import Any

import dj_database_url
import django

SECRET_KEY = "tests"
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.urls"
# pytest-django's live server wants both to be set.
STATIC_URL = "static/"
MEDIA_ROOT = "var/media"
MEDIA_URL = "media/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A file, not memory: threads and live servers of a test must see one database.
DATABASES: dict[str, Any] = {"default": dj_database_url.config(default="sqlite:///var/tests.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("mysql"):
    from tests.mariadb import stand_in

    stand_in()
# As behind PgBouncer.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = "DISABLE_SERVER_SIDE_CURSORS" in os.environ
if "DIRECT_PORT" in os.environ:
    DATABASES["default"]["STREAM_DIRECT"] = {"PORT": int(os.environ["DIRECT_PORT"])}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}

# Rows of a second database have their outbox there.
DATABASES["other"] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "var/other.sqlite3",
    "OPTIONS": {"transaction_mode": "IMMEDIATE"},
}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_stream",
    "django_stream.notifications",
    "django_stream.server",
    "tests.testapp",
    "tests.moved",
    "example_project.social",
    "example_project.history",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The groups that the wire document lists for the official clients' suites.
STREAM_SERVER_FEED_GROUPS = {
    "user": {"kind": "flat"},
    "flat": {"kind": "flat"},
    "topic": {"kind": "flat"},
    "timeline": {"kind": "flat"},
    "secret": {"kind": "flat"},
    "ranked": {"kind": "flat"},
    "aggregated": {"kind": "aggregated"},
    "aggregate": {"kind": "aggregated"},
    "timeline_aggregated": {"kind": "aggregated"},
    "user_aggregated": {"kind": "aggregated"},
    "notification": {"kind": "notification"},
}

# Tests of streams switch it on. Elsewhere, looking for streams now and then would change counts of queries.
STREAM_SERVER_STREAMS = False

STREAM_NOTIFICATIONS_BASE_URL = "https://example.com"

if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
