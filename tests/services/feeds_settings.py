"""The API with a worker of its own, for which a few dozen followers are many."""

import os

from tests.settings import *  # noqa: F403

STREAM_SERVER_FANOUT_INLINE_MAX = 50
STREAM_SERVER_FANOUT_CHUNK = 100

CELERY_BROKER_URL = os.environ["CELERY_BROKER_URL"]
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE = {
    # Minutes become seconds, so that the test sees what comes after.
    "maintain the feeds": {"task": "django_stream.server.maintain", "schedule": 1.0, "args": (2.0,)},
}
