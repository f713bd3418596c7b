"""URLs of the API, to be included at `api/v1.0/`."""

from django.urls import URLPattern, path, re_path

from django_stream.server.views import probes
from django_stream.server.views.api import api
from django_stream.server.views.file_contents import contents
from django_stream.server.views.schema import schema
from django_stream.server.views.streams import channel
from django_stream.server.views.welcome import welcome

urlpatterns: list[URLPattern] = [
    path("", welcome, name="stream-server-welcome"),
    path("schema/", schema, name="stream-server-schema"),
    path("health/", probes.live, name="stream-server-health"),
    path("ready/", probes.ready, name="stream-server-ready"),
    re_path(r"^channel/(?P<stream>\w+)/(?P<secret>\w+)/?\Z", channel, name="stream-server-channel"),
    re_path(r"^media/(?P<key>[\w-]+)/(?P<name>[^/]+)\Z", contents, name="stream-server-file"),
    # Line breaks included, which a bare dot leaves to the site's own page for what is not found.
    re_path(r"^(?P<path>(?s:.*))\Z", api, name="stream-server"),
]
