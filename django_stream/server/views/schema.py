"""The OpenAPI description over HTTP."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from django_stream.server.openapi.document import document
from django_stream.server.views.api import other_method


@csrf_exempt
def schema(request: HttpRequest) -> HttpResponse:
    """The description as JSON; it is the same for all applications."""
    return other_method(request, "schema") or JsonResponse(document())
