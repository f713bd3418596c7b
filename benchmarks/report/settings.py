"""A site with embedded feeds and the default groups, on the database that DATABASE_URL names."""

from benchmarks.publishing.settings import *  # noqa: F403
from benchmarks.publishing.settings import DATABASES

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_stream",
    "django_stream.server",
    "benchmarks.report",
]
STREAM_BACKEND = "embedded"
STREAM_TRANSPORT = "django_stream.server.transport.EmbeddedTransport"
STREAM_NETWORK_IN_TESTS = False
ROOT_URLCONF = "benchmarks.server.urls"
MIDDLEWARE: list[str] = []
DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # As docs/server.md advises.
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 2}
