"""The site in processes of its own: its feeds live behind HTTP, and nothing of the server is installed."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "django_stream.server"]
ROOT_URLCONF = ""
DATABASES["default"]["CONN_MAX_AGE"] = 60

STREAM_BACKEND = os.environ["STREAM_BACKEND"]
STREAM_NEWS_FEEDS = ("timeline",)
# A follow copies all there is, so that timelines can be computed without knowing when it was made.
STREAM_ACTIVITY_COPY_LIMIT = 1000
# Hours become seconds, so that the tests see what comes after.
STREAM_TIMEOUT = 0.7
STREAM_OUTBOX_LEASE_SECONDS = float(os.environ.get("LEASE_SECONDS", "6"))
STREAM_OUTBOX_RETRY_BASE_SECONDS = 0.2
STREAM_OUTBOX_RETRY_CAP_SECONDS = 2.0
STREAM_OUTBOX_MAX_ATTEMPTS = 1000
# More batches to be killed in the middle of.
STREAM_OUTBOX_BATCH_SIZE = 100

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "")
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Of RabbitMQ: "quorum" keeps messages on several nodes.
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("DEFAULT_QUEUE", "celery")
CELERY_TASK_DEFAULT_QUEUE_TYPE = CELERY_TASK_CREATE_MISSING_QUEUE_TYPE = os.environ.get(
    "QUEUE_TYPE", "classic"
)
STREAM_CELERY_BULK_QUEUE = os.environ.get("BULK_QUEUE")
CELERY_BEAT_SCHEDULE = {
    "drain the outbox": {
        "task": "django_stream.drain_outbox",
        "schedule": float(os.environ.get("BEAT_SECONDS", "1")),
    },
}
