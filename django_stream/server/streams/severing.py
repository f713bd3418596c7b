"""Connections whose other side has gone, or takes nothing: a server that closes those waits for it."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django_stream.server.streams import readers

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Gone(Exception):
    """The other side is not there any more."""


def until_gone(send: Send) -> Send:
    """A `send` that raises Gone for what servers raise then: each has an error of its own, or none."""

    @functools.wraps(send)
    async def sent(message: MutableMapping[str, Any]) -> None:
        try:
            await send(message)
        except (RuntimeError, OSError) as error:
            raise Gone from error

    return sent


def is_cut(cancelled: asyncio.CancelledError) -> bool:
    """Whether it was us who cut the connection off."""
    return readers.CUT in cancelled.args


async def sever(send: Send) -> None:
    """Throw away what waits in the connection, and end it.

    ASGI has no message for this. uvicorn's `send` is a method of what knows the connection; with another
    server, or middleware around `send`, the connection ends when the system gives it up.
    """
    transport = getattr(getattr(inspect.unwrap(send), "__self__", None), "transport", None)
    abort = getattr(transport, "abort", None)
    if callable(abort):
        abort()
        await asyncio.sleep(0)  # the server hears of it before we return
