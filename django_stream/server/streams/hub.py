"""One hub for each event loop: it reads the log once for all readers that are connected there."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from django_stream.protocol.errors import ApiError
from django_stream.server.conf import server_settings
from django_stream.server.streams import admission, frames, rounds, shutdown, status
from django_stream.server.streams.admission import Admission, Wish
from django_stream.server.streams.frames import Frame, control
from django_stream.server.streams.log import Logged
from django_stream.server.streams.readers import Reader
from django_stream.server.streams.refusals import refuse
from django_stream.server.streams.rounds import Credential, Round
from django_stream.server.streams.shares import Shares
from django_stream.server.streams.subscriptions import Routes, Subscription
from django_stream.server.streams.threads import DatabaseThreads
from django_stream.server.streams.wakers import Waker

logger = logging.getLogger("django_stream.server")

P = ParamSpec("P")
Result = TypeVar("Result")

# So many events are handed out before the readers get a turn.
_AT_ONCE = 100
_CATCHING_UP = 3
_BACK_OFF_SECONDS = 1.0
# The next reader often comes soon, above all the one that has just lost its connection.
_IDLE_SECONDS = 1.0

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


async def admit(wish: Wish) -> Admission:
    """Let a connection in, to be served by `batches`; a refusal is raised."""
    return await _hub().admit(wish)


async def batches(admitted: Admission) -> AsyncGenerator[Sequence[Frame]]:
    """What one connection gets, until it ends; an empty batch is a sign of life.

    Asking for the next batch says that the former one was written. To be closed when the connection is.
    """
    hub = _hub()
    reader = Reader(admitted)
    hub.join(reader)
    try:
        while True:
            if not reader.is_live:
                async for part in hub.replay(reader):
                    yield part
            batch = await reader.batch(server_settings.STREAMS_HEARTBEAT_SECONDS)
            if batch is None:
                return
            if batch or reader.is_live:
                yield batch
    finally:
        hub.leave(reader)


def later(work: Callable[[], object] | None) -> None:
    """Have something done in the database, in a thread."""
    if work is not None:
        _hub().later(work)


async def run(function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """The result of something that is done in the database, in a thread."""
    return await _hub().run(function, *args, **kwargs)


def _hub() -> Hub:
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None or found.is_over:
        found = _hubs[loop] = Hub(loop)
    return found


class Hub:
    """Reads the log while somebody is connected, and hands events to the readers that they are for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._process = uuid.uuid4()
        self._readers: dict[int, set[Reader]] = {}
        self._shares: Shares[Reader] = Shares()
        self._at_work = 0
        self._subscriptions: dict[int, Subscription] = {}
        self._routes: Routes | None = None
        self._position = self._version = -1
        self._has_begun = asyncio.Event()
        self._woken = asyncio.Event()
        self._log_thread, self._threads = DatabaseThreads(1), DatabaseThreads(_CATCHING_UP)
        self._task: asyncio.Task[None] | None = None
        self.is_over = False

    async def run(self, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        self._at_work += 1
        try:
            return await self._threads.run(function, *args, **kwargs)
        finally:
            self._at_work -= 1
            self._stop_soon()

    async def admit(self, wish: Wish) -> Admission:
        if shutdown.has_begun():
            raise refuse("server-shutdown", "this server is about to end", 503)
        admitted = await self.run(admission.admit, wish)
        application_id = admitted.subscription.application_id
        if not self._shares.has_room(application_id, server_settings.STREAMS_READERS_MAX):
            raise refuse("too-many-readers", "this server has too many readers", 429)
        return admitted

    def join(self, reader: Reader) -> None:
        self._readers.setdefault(reader.number, set()).add(reader)
        if not reader.is_internal:
            self._shares.add(reader.admission.subscription.application_id, reader)
            if (surplus := self._shares.take_surplus(server_settings.STREAMS_READERS_MAX)) is not None:
                surplus.end("too-many-readers")
        # What is known already is as new or newer.
        self._subscriptions.setdefault(reader.number, reader.admission.subscription)
        self._routes = None
        if self._task is None:
            self._task = self._loop.create_task(self._run())

    def leave(self, reader: Reader) -> None:
        reader.lost()
        reader.close()
        self._shares.discard(reader.admission.subscription.application_id, reader)
        mine = self._readers[reader.number]
        mine.discard(reader)
        progress = {reader.number: self._progress([reader], len(mine))}
        if not mine:
            del self._readers[reader.number], self._subscriptions[reader.number]
            self._routes = None
        self.later(lambda: status.write(self._process, progress))
        self._stop_soon()

    def later(self, work: Callable[[], object]) -> None:
        """Have something done in the database, in a thread."""
        self._log_thread.start(work)

    async def replay(self, reader: Reader) -> AsyncIterator[Sequence[Frame]]:
        """From the log, at the reader's own pace, until it has what the hub has handed out."""
        await self._has_begun.wait()
        subscription, routes = None, Routes(())
        while not reader.has_end:
            if reader.delivered >= self._position:
                reader.is_live = True
                return
            state, events = await self._threads.run(rounds.catch_up, reader.delivered)
            if reader.delivered < state.pruned:
                yield reader.write([control("gap", after=str(reader.delivered), until=str(state.pruned))])
                reader.written()
            current = self._subscriptions[reader.number]
            if current is not subscription:
                subscription, routes = current, Routes([current])
            found = [frame for logged in events for _, frame in routes.of(logged)]
            for part in frames.in_parts(found):
                yield reader.write(part)
                reader.written()
            reader.delivered = max(reader.delivered, events[-1].position if events else state.newest)

    async def _run(self) -> None:
        """Look at the log again and again, until nobody is connected any more."""
        waker = Waker(lambda: _call_soon(self._loop, self._woken.set))
        shutdown.watch(self._loop, self._end_all)
        refreshed, woken = self._loop.time(), False
        try:
            while True:
                due = self._loop.time() - refreshed >= status.REFRESH_SECONDS
                refreshed = self._loop.time() if due else refreshed
                try:
                    more = await self._round(check_all=due, woken=woken)
                except Exception:
                    logger.exception("the log of streams could not be read")
                    await asyncio.sleep(_BACK_OFF_SECONDS)
                    continue
                if not more:
                    woken = await self._wait()
        finally:
            waker.stop()

    async def _wait(self) -> bool:
        """Wait until there may be something new; whether somebody has said so."""
        try:
            async with asyncio.timeout(server_settings.STREAMS_POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    async def _round(self, *, check_all: bool, woken: bool) -> bool:
        """Read what is new, and hand it out; whether there may be more."""
        begun = self._has_begun.is_set()
        readers = [reader for one in self._readers.values() for reader in one] if check_all else []
        credentials = {Credential.of(reader.admission) for reader in readers}
        found = await self._log_thread.run(
            rounds.read,
            self._position if begun else None,
            None if check_all else self._version,
            list(self._readers),
            credentials,
            woken=woken,
        )
        self._version = found.state.version
        if found.subscriptions is not None:
            self._apply(found)
        if not begun:
            self._position = found.state.newest
            self._has_begun.set()
            return False
        for start in range(0, len(found.events), _AT_ONCE):
            self._hand_out(found.events[start : start + _AT_ONCE])
            await asyncio.sleep(0)
        if check_all:
            self._tell_status()
        return found.places_left or (bool(found.events) and found.events[-1].position < found.state.newest)

    def _hand_out(self, events: Sequence[Logged]) -> None:
        if self._routes is None:
            self._routes = Routes(self._subscriptions.values())
        for logged in events:
            for number, frame in self._routes.of(logged):
                for reader in self._readers.get(number, ()):
                    if reader.is_live:
                        reader.push(frame)
        self._position = events[-1].position

    def _apply(self, found: Round) -> None:
        """Streams that have changed or gone, and tokens that are not valid any more."""
        assert found.subscriptions is not None
        for number, readers in self._readers.items():
            now = found.subscriptions.get(number)
            for reader in list(readers):
                refusal = found.refusals.get(Credential.of(reader.admission))
                if now is None and number in found.asked:
                    reader.end("stream-deleted")
                elif refusal is not None:
                    reader.end(_code(refusal))
            if now is not None and now != self._subscriptions[number]:
                self._change(number, now)

    def _change(self, number: int, now: Subscription) -> None:
        self._subscriptions[number] = now
        self._routes = None
        types = list(now.object_types)
        told = control("stream-changed", object_types=types, filter_id=str(now.filter_id or "") or None)
        for reader in self._readers[number]:
            reader.push(told)

    def _tell_status(self) -> None:
        slow = server_settings.STREAMS_SLOW_SECONDS
        progress = {}
        for number, readers in self._readers.items():
            for reader in list(readers):
                if reader.stalled_seconds() > slow:
                    reader.dropped += 1
                    reader.cut()
            progress[number] = self._progress(readers, len(readers))
        self.later(lambda: status.write(self._process, progress))

    def _progress(self, readers: Sequence[Reader] | set[Reader], count: int) -> status.Progress:
        made = status.Progress(readers=count)
        for reader in readers:
            made.sent, reader.sent = made.sent + reader.sent, 0
            made.dropped, reader.dropped = made.dropped + reader.dropped, 0
            reached = max(reader.delivered, self._position) if reader.is_idle else reader.delivered
            made.position = max(made.position, reached)
        return made

    def _end_all(self) -> None:
        for readers in self._readers.values():
            for reader in list(readers):
                reader.end("server-shutdown")

    def _stop_soon(self) -> None:
        if not self._readers and not self._at_work:
            self._loop.call_later(_IDLE_SECONDS, self._stop)

    def _stop(self) -> None:
        """Nobody is connected any more: the next one gets a new hub."""
        if self.is_over or self._readers or self._at_work:
            return
        self.is_over = True
        if self._task is not None:
            self._task.cancel()
        self._log_thread.close()
        self._threads.close()


def _code(refusal: ApiError) -> str:
    return "token-expired" if refusal.slug == "token-expired" else "token-revoked"


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(function)
