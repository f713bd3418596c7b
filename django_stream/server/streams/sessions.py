"""Clients that subscribe to feeds by Bayeux: what each listens to, and the places that they share."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django_stream.protocol.errors import ApiError, invalid
from django_stream.server.streams.feed_listeners import Change, listeners_of
from django_stream.server.streams.shares import Shares

Message = dict[str, Any]

_FORGOTTEN_SECONDS = 30.0
_QUEUE_MAX = 1000
_QUEUE_BYTES_MAX = 1024 * 1024
"""So much may wait for one client."""
_SESSIONS_MAX = 10_000
"""So many clients may listen; applications share these places."""
_PER_USER_MAX = 100
"""So many of them by the tokens of one user: browsers, and the pages open there."""
_IDLE_MAX = 1000
"""So many more may have said hello and nothing else."""
CHANNELS_MAX = 256
"""So many feeds one client may listen to."""
_CHECK_AGAIN_SECONDS = 30.0


class Listened(NamedTuple):
    """A feed that a client may listen to."""

    application_id: int
    feed: str
    user_id: str = ""
    """Of a user token."""


Authorize = Callable[[str, Mapping[str, Any]], Awaitable[Listened]]
"""From a channel and the `ext` of a message to the feed; ApiError refuses."""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Clients] = WeakKeyDictionary()


class Session:
    """One client: what it is subscribed to, and what waits for its next `connect`."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.push: Callable[[], None] | None = None
        """Of a WebSocket: sends what waits at once."""
        self._channels: dict[str, Listened] = {}
        self._proofs: dict[str, Mapping[str, Any]] = {}
        self._waiting: list[Message] = []
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._checked = self._loop.time()
        self._timer = self._loop.call_later(_FORGOTTEN_SECONDS, self.close)

    @property
    def is_over(self) -> bool:
        return self.id not in clients().by_id

    @property
    def listens(self) -> bool:
        """Whether a token has opened a feed for it, and it is not over."""
        return bool(self._channels)

    def seen(self) -> None:
        """The client is still there."""
        self._timer.cancel()
        self._timer = self._loop.call_later(_FORGOTTEN_SECONDS, self.close)

    def close(self) -> None:
        self._timer.cancel()
        for channel in list(self._channels):
            self.unsubscribe(channel)
        clients().forget(self)
        self._arrived.set()

    async def subscribe(self, channel: str, proof: Mapping[str, Any], authorize: Authorize) -> None:
        """Listen to a channel that the proof opens; ApiError refuses."""
        listened = await authorize(channel, proof)
        if self.is_over or (channel not in self._channels and len(self._channels) >= CHANNELS_MAX):
            raise invalid(f"a client may listen to at most {CHANNELS_MAX} feeds")
        clients().admit(self, listened)
        self._channels[channel], self._proofs[channel] = listened, proof
        await listeners_of(listened.application_id).add(listened.feed, self._deliver)

    async def check(self, authorize: Authorize) -> None:
        """Now and then: a token that was let in may have run out, and its key may be gone."""
        if self._loop.time() - self._checked < _CHECK_AGAIN_SECONDS:
            return
        self._checked = self._loop.time()
        # One token may open many feeds, and what opened one of them opens the others.
        proofs = {(str(one.get("api_key")), str(one.get("signature"))): one for one in self._proofs.values()}
        channels = {id(proof): channel for channel, proof in self._proofs.items()}
        try:
            for proof in proofs.values():
                await authorize(channels[id(proof)], proof)
        except ApiError:
            self.close()

    def unsubscribe(self, channel: str) -> None:
        self._proofs.pop(channel, None)
        if (listened := self._channels.pop(channel, None)) is not None:
            listeners_of(listened.application_id).remove(listened.feed, self._deliver)

    def _deliver(self, feed: str, change: Change, size: int) -> None:
        # One change is delivered however large it is.
        if len(self._waiting) >= _QUEUE_MAX or (self._waiting and self._bytes + size > _QUEUE_BYTES_MAX):
            self.close()  # the client will have to begin anew
            return
        self._bytes += size
        names = [channel for channel, listened in self._channels.items() if listened.feed == feed]
        self._waiting += [{"channel": channel, "data": change} for channel in names]
        self._arrived.set()
        if self.push is not None:
            self.push()

    def take(self) -> list[Message]:
        """What waits."""
        taken, self._waiting, self._bytes = self._waiting, [], 0
        self._arrived.clear()
        return taken

    async def wait(self, seconds: float) -> None:
        """Until something waits, the time is over, or another `connect` of this client waits instead."""
        self._arrived.set()
        arrived = self._arrived = asyncio.Event()
        if self._waiting:
            return
        try:
            async with asyncio.timeout(seconds):
                await arrived.wait()
        except TimeoutError:
            pass


class Clients:
    """The clients of one event loop, and their places."""

    def __init__(self) -> None:
        self.by_id: dict[str, Session] = {}
        self._idle: dict[Session, None] = {}
        self._owner: dict[Session, Listened] = {}
        self._shares: Shares[Session] = Shares()
        self._of_user: Counter[tuple[int, str]] = Counter()

    def greet(self) -> Session:
        """A new client. Anybody may be one, who never shows a token: the oldest of those makes room."""
        if len(self._idle) >= _IDLE_MAX:
            next(iter(self._idle)).close()
        session = Session()
        self.by_id[session.id] = session
        self._idle[session] = None
        return session

    def admit(self, session: Session, listened: Listened) -> None:
        """Give a client that begins to listen one of its application's places; ApiError refuses."""
        if session in self._owner:
            return
        user = listened.application_id, listened.user_id
        is_full = not self._shares.has_room(listened.application_id, _SESSIONS_MAX)
        if is_full or (listened.user_id and self._of_user[user] >= _PER_USER_MAX):
            raise ApiError.named("RateLimitReached", "too many clients listen")
        self._idle.pop(session, None)
        self._owner[session] = listened
        self._of_user[user] += 1
        self._shares.add(listened.application_id, session)
        if (surplus := self._shares.take_surplus(_SESSIONS_MAX)) is not None:
            surplus.close()

    def forget(self, session: Session) -> None:
        self.by_id.pop(session.id, None)
        self._idle.pop(session, None)
        if (listened := self._owner.pop(session, None)) is not None:
            user = listened.application_id, listened.user_id
            self._of_user[user] -= 1
            if not self._of_user[user]:
                del self._of_user[user]
            self._shares.discard(listened.application_id, session)


def clients() -> Clients:
    """Those of the running event loop."""
    return _clients.setdefault(asyncio.get_running_loop(), Clients())
