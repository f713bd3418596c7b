"""The server with streams, and beside it a bare asynchronous view of Django that pushes ready frames."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.server.streams_settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from django_stream.server.asgi import with_streams

PADDING = "x" * 700
queues: set[asyncio.Queue[bytes]] = set()


async def _frames() -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    queues.add(queue)
    try:
        yield b"\r\n"
        while True:
            yield await queue.get()
    finally:
        queues.discard(queue)


async def listen(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_frames(), content_type="application/x-ndjson")


async def push(request: HttpRequest) -> HttpResponse:
    """So many frames to everybody, at once or with a pause between them."""
    count, pause = int(request.GET["count"]), float(request.GET["pause"])
    started = time.monotonic()
    for number in range(count):
        frame = json.dumps({"data": {"at": time.time(), "n": number, "text": PADDING}}).encode() + b"\r\n"
        for queue in queues:
            queue.put_nowait(frame)
        if pause:
            await asyncio.sleep(max(0, started + (number + 1) * pause - time.monotonic()))
    return HttpResponse()


urlpatterns = [
    path("api/v1.0/", include("django_stream.server.urls")),
    path("bare/", listen),
    path("push/", push),
]
application = with_streams(django)
