"""The bytes of uploaded files: everyone who knows the address of one may read it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import IO, cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from django_stream.protocol.errors import ApiError
from django_stream.server.files.kinds import IMAGES
from django_stream.server.files.urls import storage
from django_stream.server.models import StoredFile
from django_stream.server.reads import files as reads
from django_stream.server.validation import missing
from django_stream.server.views.api import other_method

logger = logging.getLogger("django_stream.server")

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


@csrf_exempt
def contents(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    """An image to be shown, or any other file as an attachment."""
    if (other := other_method(request, "media")) is not None:
        return other
    try:
        file = reads.by_key(key)
        if file is None or file.base_name != name:
            raise missing("file", name)
        opened = _opened(file)
    except ApiError as error:
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


def _opened(file: StoredFile) -> IO[bytes]:
    try:
        return cast("IO[bytes]", storage().open(file.name))
    except FileNotFoundError as error:
        raise missing("file", file.base_name) from error
    except Exception as error:  # each storage has errors of its own
        # Whoever knows its name may read the file, so the log has none, nor the path in an error.
        why = getattr(error, "strerror", None) or error
        logger.error("file %s cannot be read: %s: %s", file.public_id, type(error).__name__, why)
        raise ApiError.named("InternalException", "the file cannot be read right now") from error


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Read in threads: storages know nothing of event loops. The response closes the file."""
    read = sync_to_async(file.read, thread_sensitive=False)
    while chunk := await read(_CHUNK):
        yield chunk
