"""`/faye`: subscriptions to feeds for browsers, over long polling and WebSocket."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from django_stream.protocol import scopes
from django_stream.protocol.errors import ApiError, invalid
from django_stream.protocol.feed_ids import FeedID, validate_feed_slug, validate_user_id
from django_stream.server.auth import keys, tokens
from django_stream.server.conf import server_settings
from django_stream.server.content import check_values, encoded
from django_stream.server.feed_groups import groups_of
from django_stream.server.feed_store import within_length
from django_stream.server.ownership import denied
from django_stream.server.permissions import may_read
from django_stream.server.streams import bayeux, hub
from django_stream.server.streams.refusals import check_enabled
from django_stream.server.streams.sessions import Listened, Session
from django_stream.server.streams.severing import Gone, sever

logger = logging.getLogger("django_stream.server")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CHANNEL = re.compile(r"/site-(\d+)-feed-([\w-]+)", re.ASCII)
_CALLBACK = re.compile(r"[\w.$]{1,64}", re.ASCII)
_BODY_MAX = 256 * 1024
_DEPTH_MAX = 10
# What one WebSocket may have begun: answers, and clients that speak over it.
_UNDER_WAY_MAX = 32
IDLE_SECONDS = 60.0
"""So long a WebSocket may be open for nothing; who listens says something every ten seconds."""
# So long the other side has to take what was written before the farewell.
_FAREWELL_SECONDS = 5.0
_UNREADABLE = (ValueError, TypeError, LookupError, RecursionError, ApiError)


async def authorize(channel: str, ext: Mapping[str, Any]) -> Listened:
    """Whether the token in `ext` opens the feed of a channel for reading."""
    return await hub.run(_authorize, channel, ext)


def _authorize(channel: str, ext: Mapping[str, Any]) -> Listened:
    check_enabled()
    match = _CHANNEL.fullmatch(channel)
    if match is None:
        raise invalid(f"{channel[:80]!r} is no channel of a feed")
    credential = keys.credential_of(str(ext.get("api_key") or ""))
    application_id = credential.application_id
    if str(application_id) != match[1]:
        raise denied()
    principal = tokens.verify(str(ext.get("signature") or ""), credential.secrets, application_id)
    slugs = groups_of(application_id)
    feed = within_length(_feed(match[2], slugs), "subscription")
    if principal.is_server:
        allowed = principal.may(scopes.FEED, scopes.READ, feed, slugs)
    else:
        allowed = may_read(principal.user_id, feed)
    if not allowed:
        raise denied()
    return Listened(application_id, str(feed), principal.user_id or "")


def _feed(packed: str, slugs: Mapping[str, object]) -> FeedID:
    """Slug and user stand together: the longest slug of a feed group that fits is meant."""
    slug = max((one for one in slugs if packed.startswith(one)), key=len, default="")
    try:
        return FeedID(validate_feed_slug(slug), validate_user_id(packed[len(slug) :]))
    except ValueError as error:
        raise invalid(f"there is no feed group for {packed!r}") from error


async def http(scope: Message, receive: Receive, send: Send) -> None:
    """One request of a client that polls."""
    headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
    cors = _cors(headers.get("origin"))
    if scope["method"] == "OPTIONS":
        await _respond(send, 200, b"", {**cors, "Access-Control-Allow-Methods": "POST, GET, OPTIONS"})
        return
    body = await _body(receive)
    query = parse_qs(scope["query_string"].decode("latin-1"))
    try:
        messages = _messages(headers.get("content-type", ""), body, query)
    except _UNREADABLE:
        await _respond(send, 400, b"the body is no list of messages", cors)
        return
    text = encoded(await bayeux.answer(messages, authorize))
    if (name := query.get("jsonp", [""])[0]) and _CALLBACK.fullmatch(name):
        script = b"/**/" + name.encode() + b"(" + text + b");"
        await _respond(send, 200, script, {**cors, "Content-Type": "text/javascript; charset=utf-8"})
        return
    await _respond(send, 200, text, {**cors, "Content-Type": "application/json; charset=utf-8"})


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more and len(body) <= _BODY_MAX:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _messages(kind: str, body: bytes, query: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    if len(body) > _BODY_MAX:
        raise ValueError
    if "message" in query:
        text: str | bytes = query["message"][0]
    elif kind.startswith("application/x-www-form-urlencoded"):
        text = parse_qs(body.decode())["message"][0] if body else ""
    else:
        text = body
    given = json.loads(text)
    listed = given if isinstance(given, list) else [given]
    if not all(isinstance(one, dict) for one in listed):
        raise TypeError
    if len(listed) > bayeux.MESSAGES_MAX:
        raise ValueError
    check_values(listed, depth=_DEPTH_MAX)
    return listed


def _cors(origin: str | None) -> dict[str, str]:
    """Faye's requests say that they carry cookies: they are not looked at, but the origin must be named."""
    allowed = server_settings.CORS_ORIGINS
    if not origin or not ("*" in allowed or origin in allowed):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "content-type, pragma, x-requested-with",
        "Vary": "Origin",
    }


async def _respond(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    listed = [(name.lower().encode(), text.encode("latin-1")) for name, text in headers.items()]
    listed += [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-cache, no-store")]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


class _Socket:
    """A client that stays connected: each message is answered by itself, and news are sent at once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sessions: set[Session] = set()
        self._delivering: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()

    @property
    def seconds(self) -> float:
        """So long it may say nothing, and be there without having opened a feed."""
        if any(session.listens for session in self._sessions):
            self._heard = self._loop.time()
        return max(0.0, self._heard + IDLE_SECONDS - self._loop.time())

    @property
    def is_overdone(self) -> bool:
        return max(len(self._tasks), len(self._sessions)) > _UNDER_WAY_MAX

    def answer(self, messages: list[dict[str, Any]]) -> None:
        self._start(self._answer(messages))

    async def _answer(self, messages: list[dict[str, Any]]) -> None:
        await self._tell(await bayeux.answer(messages, authorize, self._push))

    def _push(self, session: Session) -> None:
        if session.push is None:
            session.push = partial(self._news, session)
            self._sessions.add(session)

    def _news(self, session: Session) -> None:
        if session not in self._delivering:
            self._delivering.add(session)
            self._start(self._deliver(session))

    async def _deliver(self, session: Session) -> None:
        """One at a time: what a slow reader does not take waits in its session, which has a limit."""
        while waiting := session.take():
            await self._tell(waiting)
        self._delivering.discard(session)

    async def _tell(self, messages: list[dict[str, Any]]) -> None:
        if messages:
            with suppress(Gone):
                await self._send({"type": "websocket.send", "text": encoded(messages).decode()})

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for session in self._sessions:
            session.close()


async def websocket(scope: Message, receive: Receive, send: Send) -> None:
    """A connection of a client that does not poll."""
    await receive()
    await send({"type": "websocket.accept"})
    socket = _Socket(send)
    try:
        code = await _listen(socket, receive)
        if code is not None:
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await send({"type": "websocket.close", "code": code})
    except TimeoutError:
        await sever(send)
    finally:
        socket.close()


async def _listen(socket: _Socket, receive: Receive) -> int | None:
    """Answer until the other side has gone, or is to go: by this code."""
    while True:
        try:
            async with asyncio.timeout(socket.seconds):
                message = await receive()
        except TimeoutError:
            return 1001
        if message["type"] != "websocket.receive":
            return None
        try:
            socket.answer(_messages("", (message.get("text") or "").encode(), {}))
        except _UNREADABLE:
            return 1003
        if socket.is_overdone:
            return 1008
