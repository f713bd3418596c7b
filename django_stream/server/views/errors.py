"""Django's own errors below the API's address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.views import defaults

from django_stream.server.views.api import refused


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The envelope for requests to the API that a middleware refuses, such as one with a false `Host`.

    Name it as `handler400` in the project's root URLs; elsewhere the page is Django's own.
    """
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return defaults.bad_request(request, exception)
    if (match.url_name or "").startswith("stream-server"):
        return refused(request, match.kwargs.get("path", ""), exception)
    return defaults.bad_request(request, exception)
