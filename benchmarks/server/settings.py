"""Settings of the server benchmarks: the test project's, with the server alone and a warm connection."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_stream.server"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "benchmarks.server.urls"
DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # As docs/server.md advises: short reads are mostly planning unless they are prepared.
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 2}
