"""Threads for the database work of an event loop: few, with a connection each that is closed in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connections

P = ParamSpec("P")
Result = TypeVar("Result")


class DatabaseThreads:
    """Runs functions in turn in a fixed number of threads."""

    def __init__(self, count: int) -> None:
        self._all = [ThreadPoolExecutor(1, thread_name_prefix="django_stream.streams") for _ in range(count)]
        self._turns = cycle(self._all)

    async def run(self, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """The result of a function that uses the database."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            next(self._turns), lambda: _guarded(lambda: function(*args, **kwargs))
        )

    def start(self, function: Callable[[], object]) -> None:
        """Have a function run without waiting for it."""
        next(self._turns).submit(_guarded, function)

    def close(self) -> None:
        """Let what is under way end, and close the connections. Does not wait."""
        for thread in self._all:
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)


def _guarded(function: Callable[[], Result]) -> Result:
    """A connection that has failed once, or is too old, is not used again."""
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
    try:
        return function()
    except DatabaseError:
        connections.close_all()
        raise
