"""Where connections cannot stay open, readers poll: each call answers what is there, and ends."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django_stream.server.streams import frames, log, status
from django_stream.server.streams.admission import Admission
from django_stream.server.streams.frames import Frame
from django_stream.server.streams.status import Progress
from django_stream.server.streams.subscriptions import Routes

# So much of the log is looked through in one call.
_BATCHES = 10


@dataclass(slots=True)
class Page:
    """Some events of a stream."""

    position: int
    """The place after which the next page begins."""
    frames: list[Frame] = field(default_factory=list)
    gap: dict[str, str] | None = None
    """Between which places events are deleted, where the page should have begun."""
    more: bool = True

    def with_gap(self) -> list[Frame]:
        """The frames, after a message about the gap if there is one."""
        return self.frames if self.gap is None else [frames.control("gap", **self.gap), *self.frames]


def poll(admitted: Admission, *, keeps_cursor: bool) -> Page:
    """The next events of a stream.

    Of a reader that keeps its own cursor, naming an event says that it and all before it arrived. Of
    another one nothing is heard any more: the stream goes on after what is answered.
    """
    subscription = admitted.subscription
    routes, page = Routes([subscription]), Page(admitted.position)
    state = log.state()
    if page.position < state.pruned:
        page.gap = {"after": str(page.position), "until": str(state.pruned)}
    left = log.BYTES
    for _ in range(_BATCHES):
        events = log.after(page.position, most=left)
        page.frames += [frame for logged in events for _, frame in routes.of(logged)]
        page.position = events[-1].position if events else max(page.position, state.pruned)
        left -= sum(len(logged.data) for logged in events)
        page.more = page.position < state.newest
        if not page.more or len(page.frames) >= log.BATCH or left <= 0:
            break
    reached = admitted.position if keeps_cursor else page.position
    progress = Progress(sent=len(page.frames), position=reached)
    status.write(uuid.uuid4(), {subscription.number: progress})
    return page
