"""The test project with small batches: more places to be killed in."""

import os

from tests.settings import *  # noqa: F403

STREAM_OUTBOX_BATCH_SIZE = 20
STREAM_ACTIVITY_COPY_LIMIT = 1000

STREAM_SERVER_STREAMS = bool(os.environ.get("KILLED_WITH_STREAMS"))
STREAM_SERVER_STREAMS_NOTICE_SECONDS = 0.0

# Without a router Django allows every model in every database; this one was never migrated.
DATABASES["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}  # noqa: F405
