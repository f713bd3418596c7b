"""Settings of the server benchmarks: the test project's, with the server alone and a warm connection."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_stream.server"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "benchmarks.server.urls"
# As docs/server.md advises for WSGI, unless CONNECTIONS names another way: "plain" for Django's own options,
# and for ASGI "pool", which the docs advise there, or "unkept" for a new connection for each request.
_WAY = os.environ.get("CONNECTIONS", "advised")
DATABASES["default"]["CONN_MAX_AGE"] = None if _WAY in ("advised", "plain") else 0
if DATABASES["default"]["ENGINE"].endswith("postgresql") and _WAY != "plain":
    # Short reads are mostly planning unless they are prepared.
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 2}
    if _WAY == "pool":
        DATABASES["default"]["OPTIONS"]["pool"] = {"max_size": 20}
