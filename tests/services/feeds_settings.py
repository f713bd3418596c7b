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
# Of RabbitMQ: "quorum" keeps messages on several nodes.
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("DEFAULT_QUEUE", "celery")
CELERY_TASK_DEFAULT_QUEUE_TYPE = CELERY_TASK_CREATE_MISSING_QUEUE_TYPE = os.environ.get(
    "QUEUE_TYPE", "classic"
)
STREAM_SERVER_FANOUT_QUEUE = os.environ.get("FANOUT_QUEUE")
