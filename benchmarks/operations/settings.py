"""Settings of the measurements of commands: feeds embedded in the one database that DATABASE_URL names."""

from benchmarks.publishing.settings import *  # noqa: F403
from benchmarks.publishing.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "benchmarks.operations", "django_stream.server"]
STREAM_TRANSPORT = "django_stream.server.transport.EmbeddedTransport"
STREAM_SERVER_STREAMS = False
STREAM_SERVER_AUDIT_LOG = False
