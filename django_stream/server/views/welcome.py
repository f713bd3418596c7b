"""A page at the address of the API itself, where the wire has no endpoint."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from django_stream.server.views.api import api

_ABOUT = (
    "This is a server of the Stream feeds API v1.0, made for programs. "
    "Every call but those below needs an API key and a token, which the official clients send."
)


@csrf_exempt
def welcome(request: HttpRequest) -> HttpResponse:
    """Say what this is and where to read on; any other method is a call like all calls."""
    if request.method not in ("GET", "HEAD"):
        return api(request, "")
    # Relative to this address: the URLs may be included anywhere, and more than once.
    below = {name: request.build_absolute_uri(f"{name}/") for name in ("schema", "health", "ready")}
    return JsonResponse({"about": _ABOUT, **below}, json_dumps_params={"indent": 2})
