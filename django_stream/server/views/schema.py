"""The OpenAPI description over HTTP."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from django_stream.server.openapi.document import document


def schema(request: HttpRequest) -> JsonResponse:
    """The description as JSON; it is the same for all applications."""
    return JsonResponse(document())
