"""A subject of NATS, by one connection of the process in a thread of its own.

JetStream is not used: it keeps messages until somebody has had them, and these say nothing that is not in
the log.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from django_stream.server.events.channels.base import NAME, PATIENCE
from django_stream.server.extras import MissingExtra

logger = logging.getLogger("django_stream.server")

# A process that ends right after its commit waits so long for its last message to leave.
_EXIT_SECONDS = 1.0


class Nats:
    """Of one server, or of a cluster whose addresses are joined by commas."""

    def __init__(self, url: str) -> None:
        try:
            import nats
        except ImportError as error:
            raise MissingExtra("wake-ups by NATS", "nats") from error
        self._servers, self._connect = url.split(","), nats.connect
        self._starting = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._connection: asyncio.Task[Any] | None = None
        self._hearers: set[threading.Event] = set()
        self._telling: Future[Any] | None = None

    def tell(self) -> None:
        # One that waits for the connection tells for all.
        if self._telling is None or self._telling.done():
            self._telling = self._run(self._tell())
            self._telling.add_done_callback(self._told)

    def _told(self, telling: Future[Any]) -> None:
        if not telling.cancelled() and (error := telling.exception()) is not None:
            logger.warning("NATS was not told of news: %s", error or type(error).__name__)

    def hear(self, stopped: threading.Event) -> Iterator[None]:
        heard = threading.Event()
        self._hearers.add(heard)
        try:
            hearing = self._run(self._client())
            hearing.add_done_callback(lambda _: heard.set())
            while not stopped.is_set():
                if hearing.done() and hearing.result().is_closed:
                    raise ConnectionError("NATS has closed the connection")
                if heard.wait(PATIENCE):
                    heard.clear()
                    yield
        finally:
            self._hearers.discard(heard)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="django_stream.nats", daemon=True
                )
                self._thread.start()
                atexit.register(self._take_leave)
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _take_leave(self) -> None:
        # In a forked process the thread is its parent's.
        if self._thread is not None and self._thread.is_alive():
            with suppress(Exception):  # nobody is left to be told
                self._run(self._flush()).result(_EXIT_SECONDS)

    async def _flush(self) -> None:
        await (await self._client()).flush(timeout=1)

    async def _tell(self) -> None:
        client = await self._client()
        if not client.is_reconnecting:  # else all is told at once when it has returned
            await client.publish(NAME)

    async def _client(self) -> Any:
        """The one connection, which comes back by itself; made anew when it was closed for good."""
        done = self._connection is not None and self._connection.done()
        if self._connection is None or (done and self._is_over(self._connection)):
            self._connection = asyncio.create_task(self._connected())
        return await self._connection

    def _is_over(self, connection: asyncio.Task[Any]) -> bool:
        return connection.cancelled() or connection.exception() is not None or connection.result().is_closed

    async def _connected(self) -> Any:
        client = await self._connect(
            self._servers,
            name="django_stream",
            connect_timeout=1,
            max_reconnect_attempts=-1,
            error_cb=self._failed,
            reconnected_cb=self._returned,
            no_echo=True,  # this process has been told
        )
        await client.subscribe(NAME, cb=self._heard)
        return client

    async def _heard(self, *_: object) -> None:
        for heard in tuple(self._hearers):
            heard.set()

    async def _returned(self) -> None:
        """Meanwhile others may have told us something, and we them."""
        await self._heard()
        await self._tell()

    async def _failed(self, error: Exception) -> None:
        logger.warning("NATS wakes no readers of streams: %s", error or type(error).__name__)
