"""Noticing that the server process is asked to end: it would wait for connections that never end."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_watching: WeakKeyDictionary[asyncio.AbstractEventLoop, Callable[[], None]] = WeakKeyDictionary()
_begun = threading.Event()
_former: dict[int, Any] = {}


def has_begun() -> bool:
    return _begun.is_set()


def begin() -> None:
    """Have every hub of this process say goodbye to its readers."""
    _begun.set()
    for loop, end_all in list(_watching.items()):
        if not loop.is_closed():
            loop.call_soon_threadsafe(end_all)


def watch(loop: asyncio.AbstractEventLoop, end_all: Callable[[], None]) -> None:
    """Have a function called in this loop when the process is asked to end.

    Signals can only be watched from the main thread, where servers have their loop. What the server
    itself does at a signal is done as well.
    """
    _watching[loop] = end_all
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if handler is not _on_signal and handler is not None:
            _former[number] = handler
            signal.signal(number, _on_signal)


def _on_signal(number: int, frame: FrameType | None) -> None:
    begin()
    former = _former.get(number)
    if callable(former):
        former(number, frame)
    elif former == signal.SIG_DFL:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
