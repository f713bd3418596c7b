"""Settings of the benchmarks of streams."""

from benchmarks.server.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.server.streams_app"
STREAM_SERVER_STREAMS = True
STREAM_SERVER_STREAMS_NOTICE_SECONDS = 0.5
