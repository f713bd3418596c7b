"""Settings of a site that runs as processes of its own; SITE_SETTINGS holds what a test wants, as JSON."""

import json
import os

import dj_database_url

from tests.settings import *  # noqa: F403

DATABASES = {"default": dj_database_url.parse(os.environ["SITE_DATABASE_URL"], conn_max_age=60)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
STREAM_SERVER_STREAMS = True
STREAM_SERVER_STREAMS_NOTICE_SECONDS = 0.0
STREAM_SERVER_TOKEN_LEEWAY_SECONDS = 0.0
globals().update(json.loads(os.environ.get("SITE_SETTINGS", "{}")))
