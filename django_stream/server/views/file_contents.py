"""The bytes of uploaded files: everyone who knows the address of one may read it."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from django_stream.server.files.kinds import IMAGES
from django_stream.server.files.urls import storage
from django_stream.server.reads import files as reads
from django_stream.server.validation import missing

_HEADERS = {
    # Users uploaded these bytes: no browser may take them for a page of this site.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    # What is at an address never changes.
    "Cache-Control": "public, max-age=31536000, immutable",
}


@require_safe
def contents(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    """An image to be shown, or any other file as an attachment."""
    file = reads.by_key(key)
    if file is None or file.base_name != name or not storage().exists(file.name):
        error = missing("file", name)
        return JsonResponse(error.envelope() | {"duration": "0.00ms"}, status=error.http_status)
    shown = file.content_type in IMAGES.values()
    return FileResponse(
        storage().open(file.name),
        as_attachment=not shown,
        filename=file.base_name,
        content_type=file.content_type,
        headers=_HEADERS,
    )
