"""ASGI entry point."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

from django_stream.server.asgi import with_streams

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

# The example is one process with nothing in front of it, so it serves its own CSS.
django = ASGIStaticFilesHandler(get_asgi_application())
application = with_streams(django)
