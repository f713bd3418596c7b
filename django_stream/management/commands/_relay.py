"""A drain that goes on until the process is told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from django_stream.publishing.listening import drain_until
from django_stream.publishing.report import DrainReport


def relay(databases: list[str], every: float, report: Callable[[DrainReport], object]) -> None:
    """Publish what comes in these databases; SIGTERM and SIGINT end it after the batch at hand."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    threads = [
        threading.Thread(target=drain_until, args=[stopped, using, every, report]) for using in databases
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
