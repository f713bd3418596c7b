"""A stream over a WebSocket, in the manner of pnut."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing, suppress
from typing import Any

from django_stream.server.content import encoded
from django_stream.server.streams import frames, hub
from django_stream.server.streams.admission import Admission
from django_stream.server.streams.severing import Gone, is_cut, sever

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CLOSE_CODES = {
    "server-shutdown": 1012,
    "token-expired": 4401,
    "token-revoked": 4401,
    "stream-deleted": 4404,
    "consumer-too-slow": 4408,
    "too-many-readers": 4429,
}
_HEARTBEAT = frames.control("heartbeat").message


async def serve(
    admitted: Admission, receive: Receive, send: Send, at_end: Callable[[], object] | None
) -> None:
    """Accept the connection and send events until one side ends it; whatever comes in is answered `pong`."""
    connection_id = uuid.uuid4().hex
    headers = [(b"connection-id", connection_id.encode())]
    listening: asyncio.Task[None] | None = None
    try:
        await send({"type": "websocket.accept", "headers": headers})
        await send(_text(encoded(_greeting(admitted, connection_id)).decode()))
        listening = asyncio.get_running_loop().create_task(_listen(receive, send, asyncio.current_task()))
        code = await _send_all(admitted, send)
        await send({"type": "websocket.close", "code": code})
    except asyncio.CancelledError as cancelled:
        if is_cut(cancelled):
            await sever(send)
        elif listening is None or not listening.done():
            raise
    finally:
        if listening is not None:
            listening.cancel()
        hub.later(at_end)


def _greeting(admitted: Admission, connection_id: str) -> dict[str, Any]:
    stream = {
        "id": str(admitted.subscription.number),
        "key": admitted.key,
        "object_types": list(admitted.subscription.object_types),
    }
    return {
        "meta": {
            "stream": stream,
            "connection_id": connection_id,
            "begins_after": str(admitted.position),
        }
    }


async def _send_all(admitted: Admission, send: Send) -> int:
    """Send until the end; the code to close with."""
    last = None
    async with aclosing(hub.batches(admitted)) as batches:
        async for batch in batches:
            for frame in batch:
                await send(_text(frame.message))
                last = frame
            if not batch:
                await send(_text(_HEARTBEAT))
    told = json.loads(last.text).get("control", {}) if last is not None else {}
    return _CLOSE_CODES.get(str(told.get("code")), 1000)


async def _listen(receive: Receive, send: Send, sender: asyncio.Task[None] | None) -> None:
    with suppress(Gone):
        while (await receive())["type"] != "websocket.disconnect":
            await send(_text("pong"))
    if sender is not None:
        sender.cancel()


def _text(text: str) -> Message:
    return {"type": "websocket.send", "text": text}
