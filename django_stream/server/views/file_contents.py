"""The bytes of uploaded files: everyone who knows the address of one may read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from django_stream.server.files.kinds import IMAGES
from django_stream.server.files.urls import storage
from django_stream.server.reads import files as reads
from django_stream.server.validation import missing

_CHUNK = 64 * 1024
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
    try:
        opened = storage().open(file.name) if file is not None and file.base_name == name else None
    except FileNotFoundError:
        opened = None
    if file is None or opened is None:
        error = missing("file", name)
        return JsonResponse(error.envelope() | {"duration": "0.00ms"}, status=error.http_status)
    shown = file.content_type in IMAGES.values()
    response = FileResponse(
        opened,
        as_attachment=not shown,
        filename=file.base_name,
        content_type=file.content_type,
        headers=_HEADERS,
    )
    if isinstance(request, ASGIRequest):
        # Otherwise Django reads it whole before the first byte is sent.
        response.streaming_content = _chunks(opened)
    return response


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Read in threads: storages know nothing of event loops. The response closes the file."""
    read = sync_to_async(file.read, thread_sensitive=False)
    while chunk := await read(_CHUNK):
        yield chunk
