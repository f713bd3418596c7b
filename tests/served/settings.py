"""The API behind a real HTTP server, with small limits."""

import os

from tests.settings import *  # noqa: F403

MEDIA_ROOT = os.environ["SERVED_MEDIA"]
STREAM_SERVER_FILE_BYTES_MAX = 2 * 1024 * 1024
STREAM_SERVER_BODY_BYTES_MAX = 256 * 1024
