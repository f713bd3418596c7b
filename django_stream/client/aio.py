"""The client for asynchronous code: one wrapper around the synchronous one, and no second client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

Runner = Callable[..., Awaitable[Any]]


class AsyncView:
    """Shows an object of the client with every call that sends a request made awaitable.

    `run` is called with the function and its arguments; the default uses asyncio's threads.
    Cancelling the await does not take back a request that is on its way.
    """

    def __init__(self, subject: Any, run: Runner = asyncio.to_thread) -> None:
        self._subject = subject
        self._run = run

    def __repr__(self) -> str:
        return f"AsyncView({self._subject!r})"

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._subject, name)
        if name.startswith("_"):
            return value
        if hasattr(value, "local_methods"):
            return AsyncView(value, self._run)
        if not callable(value):
            return value
        if name in self._subject.local_methods:
            return partial(self._at_once, value)
        return partial(self._run, value)

    def _at_once(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        answer = method(*args, **kwargs)
        return AsyncView(answer, self._run) if hasattr(answer, "local_methods") else answer

    async def __aenter__(self) -> AsyncView:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._subject.close()
