"""Calls of the API wait, and an event loop must not."""

from __future__ import annotations

import asyncio
import os

from django.core.exceptions import SynchronousOnlyOperation


def refuse_event_loop(doing: str, instead: str) -> None:
    """Refuse to block an event loop, and name the remedy, which Django's own error would not."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    if not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        raise SynchronousOnlyOperation(
            f"{doing} here would block the event loop: use `await {instead}`, "
            "or wrap the code in sync_to_async()"
        )
