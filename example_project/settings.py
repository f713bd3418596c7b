"""Settings of the example: SQLite, no service, no account; the environment may replace each of them."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url
import django
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"
VAR.mkdir(exist_ok=True)

DEBUG = os.environ.get("DEBUG", "1") == "1"
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("set SECRET_KEY: everybody can read the demonstration's in the repository")
    # For a demonstration on one's own machine.
    SECRET_KEY = "the-example-is-no-secret-and-serves-your-own-machine-only"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")

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
    "example_project.social",
    "example_project.history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "example_project.security.content_security_policy",
]

ROOT_URLCONF = "example_project.urls"
ASGI_APPLICATION = "example_project.asgi.application"
WSGI_APPLICATION = "example_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Templates here stand in for those of packages, whatever the order of the apps.
        "DIRS": [BASE_DIR / "example_project" / "templates"],
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

DATABASES: dict[str, Any] = {
    "default": dj_database_url.config(default=f"sqlite:///{VAR / 'demo.sqlite3'}", conn_health_checks=True)
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Readers never wait for the writer, and writers queue up instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif find_spec("psycopg_pool"):
    # Under ASGI each thread would keep a connection of its own, until the database takes no more.
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"max_size": 20}

if redis_url := os.environ.get("REDIS_URL"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
# Uploads to the API.
MEDIA_ROOT = VAR / "media"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]}

if broker_url := os.environ.get("CELERY_BROKER_URL"):
    CELERY_BROKER_URL = broker_url
CELERY_BEAT_SCHEDULE = {
    # Finds what no nudge was sent for: a process that was killed between commit and nudge.
    "drain the outbox": {"task": "django_stream.drain_outbox", "schedule": 30.0},
    "maintain the server": {"task": "django_stream.server.maintain", "schedule": 300.0},
    # Nobody gets a second e-mail on the same day, however often it looks.
    "send digests": {"task": "django_stream.notifications.send_digests", "schedule": 3600.0},
}

# The demo's own credentials serve the embedded feeds; the environment may bring others.
for name in ("STREAM_API_KEY", "STREAM_API_SECRET", "STREAM_APP_ID", "STREAM_BACKEND", "STREAM_LOCATION"):
    if value := os.environ.get(name):
        globals()[name] = value

STREAM_NEWS_FEEDS = ["timeline", "timeline_aggregated"]

# E-mails are for those who ask for them (`/preferences/`), and a demonstration prints them.
STREAM_NOTIFICATIONS_BASE_URL = os.environ.get("SITE_URL", "http://127.0.0.1:8000")
STREAM_NOTIFICATIONS_DIGEST_CLASS = "example_project.social.digest.BrookDigest"
if DEBUG:
    # Django 6.1 gives the setting a new name.
    if django.VERSION >= (6, 1):
        MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    else:
        EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# The newest posts first, unless many people have something to say about an older one.
POPULAR = {"score": "decay_linear(time) * popularity ^ 0.5", "defaults": {"popularity": 1}}

STREAM_SERVER_FEED_GROUPS = {
    "user": {"kind": "flat", "ranking": {"popular": POPULAR}},
    "timeline": {"kind": "flat", "ranking": {"popular": POPULAR}},
    # "Ada and 4 others liked this post"; but "Grace posted 3 times".
    "timeline_aggregated": {
        "kind": "aggregated",
        "aggregation_format": (
            "{{ verb }}_{{ object if verb == 'like' else actor }}_{{ time.strftime('%Y-%m-%d') }}"
        ),
    },
    # One entry for each post and day: "Ada and 2 others liked your post"; one a day for new followers.
    "notification": {
        "kind": "notification",
        "aggregation_format": "{{ verb }}_{{ object if verb != 'follow' }}_{{ time.strftime('%Y-%m-%d') }}",
    },
    "public": {"kind": "flat"},
    # The groups that the suites of the official clients take for granted.
    "flat": {"kind": "flat"},
    "topic": {"kind": "flat"},
    "secret": {"kind": "flat"},
    "ranked": {"kind": "flat"},
    "aggregated": {"kind": "aggregated"},
    "aggregate": {"kind": "aggregated"},
    "user_aggregated": {"kind": "aggregated"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django_stream": {"handlers": ["console"], "level": "INFO"}},
}
