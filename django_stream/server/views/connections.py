"""The channels of streams as an ASGI application, over HTTP and WebSocket, in front of Django's."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing, suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from django_stream.protocol.credentials import FAYE_SCOPE_KEY
from django_stream.protocol.errors import ApiError
from django_stream.server.actions.streams import at_end
from django_stream.server.conf import server_settings
from django_stream.server.content import encoded
from django_stream.server.requests import API_PATH
from django_stream.server.streams import hub, transports
from django_stream.server.streams.admission import Admission, Wish
from django_stream.server.streams.refusals import with_meta
from django_stream.server.streams.severing import Gone, is_cut, sever, until_gone
from django_stream.server.streams.transports import Values
from django_stream.server.streams.websockets import serve
from django_stream.server.views import faye
from django_stream.server.views.api import cors_headers

logger = logging.getLogger("django_stream.server")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

FAYE_PATH = "/faye"
_CHANNEL = re.compile(rf"{API_PATH}channel/(\w+)/(\w+)/?\Z", re.ASCII)


def beside(application: Application) -> Application:
    """The application with the channels of streams in front of it."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        match = _CHANNEL.search(path)
        ours: Application
        if path.rstrip("/") == FAYE_PATH and scope["type"] in ("http", "websocket"):
            ours = faye.http if scope["type"] == "http" else faye.websocket
        elif scope["type"] == "websocket":
            ours = partial(_websocket, match[1], match[2]) if match else _deny
        elif match and scope["type"] == "http" and scope["method"] == "GET":
            ours = partial(_http, match[1], match[2])
        else:
            await application(_told(scope), receive, send)
            return
        with suppress(Gone):  # nobody is left to tell
            await ours(scope, receive, until_gone(send))

    return answer


def _told(scope: Message) -> Message:
    """By this, pages know that their scripts can listen here."""
    listens = scope["type"] == "http" and server_settings.STREAMS
    return {**scope, FAYE_SCOPE_KEY: FAYE_PATH} if listens else scope


def _wish(scope: Message, stream: str, secret: str) -> tuple[Wish, Values, Values]:
    headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return transports.wish_of(stream, secret, headers, query), headers, query


async def _admitted(wish: Wish) -> Admission | ApiError:
    try:
        return await hub.admit(wish)
    except ApiError as error:
        return with_meta(error)
    except Exception:
        logger.exception("the channel of stream %r could not be opened", wish.stream)
        reason = "the server failed; its log has the reason"
        return with_meta(ApiError.named("InternalException", reason))


async def _http(stream: str, secret: str, scope: Message, receive: Receive, send: Send) -> None:
    wish, headers, query = _wish(scope, stream, secret)
    cors = cors_headers(headers.get("origin"))
    admitted = await _admitted(wish)
    if isinstance(admitted, ApiError):
        told = {"Content-Type": "application/json", **admitted.headers, **cors}
        await send(_start("http.response.start", admitted.http_status, told))
        await send({"type": "http.response.body", "body": encoded(admitted.envelope())})
        return
    transport = transports.transport_for(headers, query)
    gone = _cancel_when_gone(receive, "http.disconnect")
    try:
        await send(_start("http.response.start", 200, transports.headers_of(transport, admitted) | cors))
        async with aclosing(transports.body_of(transport, admitted)) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})
    except asyncio.CancelledError as cancelled:
        if is_cut(cancelled):
            await sever(send)
        elif not gone.done():
            raise
    finally:
        gone.cancel()
        hub.later(at_end(admitted))


def _cancel_when_gone(receive: Receive, farewell: str) -> asyncio.Task[None]:
    """Have the running task end when its client has hung up."""
    current = asyncio.current_task()

    async def wait() -> None:
        while (await receive())["type"] != farewell:
            pass
        if current is not None:
            current.cancel()

    return asyncio.get_running_loop().create_task(wait())


async def _websocket(stream: str, secret: str, scope: Message, receive: Receive, send: Send) -> None:
    wish, _, _ = _wish(scope, stream, secret)
    await receive()
    admitted = await _admitted(wish)
    if not isinstance(admitted, ApiError):
        await serve(admitted, receive, send, at_end(admitted))
    elif "websocket.http.response" in scope.get("extensions", {}):
        told = {"Content-Type": "application/json", **admitted.headers}
        await send(_start("websocket.http.response.start", admitted.http_status, told))
        await send({"type": "websocket.http.response.body", "body": encoded(admitted.envelope())})
    else:
        await send({"type": "websocket.close", "code": 4000 + admitted.http_status})


async def _deny(scope: Message, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


def _start(kind: str, status: int, headers: dict[str, str]) -> Message:
    listed = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    return {"type": kind, "status": status, "headers": listed}
