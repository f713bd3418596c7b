"""One connection: what waits for it, and how it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from django_stream.server.conf import server_settings
from django_stream.server.streams import frames
from django_stream.server.streams.admission import Admission
from django_stream.server.streams.frames import Frame

CUT = "a reader is cut off"
"""With these words the task of a connection is cancelled, if it does not end by itself."""
_QUEUE_BYTES_MAX = 1024 * 1024
# Whoever is told that the connection ends has so long to take the message.
GRACE_SECONDS = 5.0


class Reader:
    """A bounded queue of frames between the hub and one connection, both in one event loop.

    A queue that is full is dropped: the reader goes back to the log and reads it at its own pace. Only
    a reader that takes nothing at all for STREAM_SERVER_STREAMS_SLOW_SECONDS is cut off.
    """

    __slots__ = (
        "_bytes",
        "_end",
        "_is_told",
        "_loop",
        "_most",
        "_queue",
        "_taken",
        "_taken_at",
        "_task",
        "_waiter",
        "admission",
        "delivered",
        "dropped",
        "is_live",
        "sent",
    )

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.delivered = admission.position
        """The last place in the log that the connection has taken, or that was not for it."""
        self.sent = self.dropped = 0
        """Counted since the hub has last asked."""
        self.is_live = False
        """Whether it has read all of the log until now, so that the hub brings what is new."""
        self._most: int = server_settings.STREAMS_QUEUE_MAX
        self._queue: deque[Frame] = deque()
        self._bytes = 0
        self._taken: Sequence[Frame] = ()
        self._taken_at = 0.0
        self._end: Frame | None = None
        self._is_told = False
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()

    @property
    def number(self) -> int:
        """That of the stream."""
        return self.admission.subscription.number

    @property
    def is_internal(self) -> bool:
        """Whether it reads for those who listen to feeds, and is no connection itself."""
        return self.number < 0

    @property
    def is_idle(self) -> bool:
        """Whether everything that was for it has been written."""
        return self.is_live and not self._queue and not self._taken

    @property
    def has_end(self) -> bool:
        """Whether it is to end."""
        return self._end is not None

    def stalled_seconds(self) -> float:
        """For how long the connection has not taken what is being written to it."""
        return self._loop.time() - self._taken_at if self._taken else 0.0

    def push(self, frame: Frame) -> None:
        """Bring a frame to a reader that is live."""
        if self._end is not None or (frame.position and frame.position <= self.delivered):
            return
        # One is taken however large it is.
        if len(self._queue) >= self._most or self._bytes > _QUEUE_BYTES_MAX:
            self._queue.clear()
            frame, self._bytes, self.is_live = frames.control("buffer-full"), 0, False
        self._queue.append(frame)
        self._bytes += len(frame.text)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self, code: str, **more: object) -> None:
        """Have the connection told why it ends, and after which event to go on; then it ends."""
        if self._end is None:
            self._end = frames.control(code, **more)
            self._wake()
            self._loop.call_later(GRACE_SECONDS, self._cut)

    def cut(self) -> None:
        """End a connection that does not take anything."""
        self.end("consumer-too-slow")
        self._cut()

    def _cut(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel(CUT)

    def close(self) -> None:
        """The connection is over."""
        self._task = None
        self._queue.clear()

    async def batch(self, seconds: float) -> Sequence[Frame] | None:
        """What waits, after a wait if need be; none after so many seconds, None at the end.

        Asking again says that the former batch was written.
        """
        self.written()
        if not self._queue and self._end is None and self.is_live:
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(seconds, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        if self._queue:
            return self.write(self._next())
        if self._end is None:
            return ()
        if self._is_told:
            return None
        self._is_told = True
        return self.write([self._with_cursor(self._end)])

    def _next(self) -> list[Frame]:
        """A part of the queue, or a large frame alone."""
        part = [self._queue.popleft()]
        size = len(part[0].text)
        while self._queue and size + len(self._queue[0].text) <= frames.PART_BYTES:
            part.append(self._queue.popleft())
            size += len(part[-1].text)
        self._bytes -= size
        return part

    def _with_cursor(self, end: Frame) -> Frame:
        """The last message, with the place after which another connection goes on."""
        place = f',"last_event_id":"{self.delivered}"}}}}'
        return Frame(end.text[:-2] + place.encode())

    def write(self, batch: Sequence[Frame]) -> Sequence[Frame]:
        """Frames are on their way to the connection, until `written`."""
        self._taken, self._taken_at = batch, self._loop.time()
        return batch

    def written(self) -> None:
        for frame in self._taken:
            if frame.position:
                self.delivered = max(self.delivered, frame.position)
                self.sent += 1
        self._taken = ()

    def lost(self) -> None:
        """The connection broke while frames were on their way: nobody knows whether they arrived."""
        self._taken = ()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
