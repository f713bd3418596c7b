"""The part of the Bayeux protocol that the official JavaScript client uses to subscribe to feeds."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django_stream.protocol.errors import ApiError
from django_stream.server.streams.sessions import CHANNELS_MAX, Authorize, Message, Session, clients

logger = logging.getLogger("django_stream.server")

HOLD_SECONDS = 10.0
"""So long a `connect` waits for something to tell."""
MESSAGES_MAX = 256
"""So many messages are answered at once."""
_AGAIN = {"reconnect": "retry", "interval": 0, "timeout": int(HOLD_SECONDS * 1000)}
_ANEW = {"reconnect": "handshake", "interval": 0}
_LATER = {"reconnect": "handshake", "interval": 10_000}


async def answer(
    messages: list[Message], authorize: Authorize, push: Callable[[Session], None] | None = None
) -> list[Message]:
    """The replies to some messages. `push` is that of a WebSocket, which need not wait for a `connect`.

    Only the first `connect` among them waits, and only the first handshake makes a session.
    """
    replies: list[Message] = []
    done: set[str] = set()
    asked = 0
    for message in messages:
        channel = str(message.get("channel"))
        asked += len(_named(message)) if channel == "/meta/subscribe" else 0
        failed = {"channel": message.get("channel"), "successful": False, "advice": _LATER}
        if asked > CHANNELS_MAX:
            replies.append({**failed, "error": f"403::at most {CHANNELS_MAX} feeds are opened at once"})
            continue
        try:
            replies += await _answer(message, authorize, push, is_first=channel not in done)
        except Exception:
            logger.exception("a message to %.80r could not be answered", channel)
            replies.append({**failed, "error": "500::the server failed; its log has the reason"})
        done.add(channel)
    return replies


async def _answer(
    message: Message, authorize: Authorize, push: Callable[[Session], None] | None, *, is_first: bool
) -> list[Message]:
    channel = message.get("channel")
    reply: Message = {"channel": channel, "successful": True}
    if "id" in message:
        reply["id"] = message["id"]
    if channel == "/meta/handshake":
        return [_handshake(reply, is_first=is_first)]
    session = clients().by_id.get(str(message.get("clientId")))
    if session is not None:
        await session.check(authorize)
    if session is None or session.is_over:
        return [{**reply, "successful": False, "error": "401::Unknown client", "advice": _ANEW}]
    session.seen()
    reply["clientId"] = session.id
    if push is not None:
        push(session)
    if channel == "/meta/connect":
        return await _connect(session, reply, waits=is_first and _may_wait(message))
    if channel == "/meta/disconnect":
        session.close()
        return [reply]
    if channel in ("/meta/subscribe", "/meta/unsubscribe"):
        return [await _subscription(session, message, reply, authorize)]
    return [{**reply, "successful": False, "error": f"403:{channel}:Forbidden channel"}]


def _handshake(reply: Message, *, is_first: bool) -> Message:
    if not is_first:
        return {**reply, "successful": False, "error": "503::Too many clients", "advice": _LATER}
    session = clients().greet()
    types = ["websocket", "long-polling", "callback-polling"]
    about = {"version": "1.0", "supportedConnectionTypes": types, "clientId": session.id, "advice": _AGAIN}
    return {**reply, **about}


def _may_wait(message: Message) -> bool:
    advice = message.get("advice")
    return not isinstance(advice, dict) or advice.get("timeout") != 0


async def _connect(session: Session, reply: Message, *, waits: bool) -> list[Message]:
    if waits:
        await session.wait(HOLD_SECONDS)
    session.seen()
    if session.is_over:
        return [{**reply, "successful": False, "error": "401::Unknown client", "advice": _ANEW}]
    return [{**reply, "advice": _AGAIN}, *session.take()]


def _named(message: Message) -> list[str]:
    """The channels that a subscription is about."""
    given = message.get("subscription")
    return [str(one) for one in (given if isinstance(given, list) else [given])]


async def _subscription(session: Session, message: Message, reply: Message, authorize: Authorize) -> Message:
    channels = _named(message)
    reply["subscription"] = message.get("subscription")
    if message["channel"] == "/meta/unsubscribe":
        for channel in channels:
            session.unsubscribe(channel)
        return reply
    proof = _proof_in(message)
    try:
        for channel in channels:
            await session.subscribe(channel, proof, authorize)
    except ApiError as error:
        return {**reply, "successful": False, "error": f"{error.http_status}:{channel}:{error.detail}"}
    return reply


def _proof_in(message: Message) -> dict[str, str]:
    """What opens feeds, without all else that stands beside it: it is kept as long as the client is there."""
    ext = message.get("ext")
    given = ext if isinstance(ext, dict) else {}
    return {name: str(given.get(name) or "") for name in ("api_key", "signature")}
