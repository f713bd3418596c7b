"""A site with every door, on a database of its own; without orjson where the environment says so."""

import os
import sys

from tests.any_json import configuration
from tests.settings import *  # noqa: F403
from tests.settings import TEMPLATES

if os.environ.get("WITHOUT_ORJSON"):
    # What an installation without the extra `speedups` finds when it imports it.
    sys.modules["orjson"] = None  # type: ignore[assignment]

ROOT_URLCONF = configuration.URLS
TEMPLATES = [{**TEMPLATES[0], "DIRS": [configuration.TEMPLATES]}]
STREAM_SERVER_FEED_GROUPS = configuration.FEED_GROUPS
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
