"""A broker that takes what the Celery app is asked to send, as tests want it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app

from django_stream.wakeup import waker


class Broker:
    """What the Celery app is asked to send; it may hang until it is let go, and fail."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.expiries: list[float | None] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.fails = False

    @contextmanager
    def producer_or_acquire(self) -> Iterator[Any]:
        yield SimpleNamespace(connection=self)

    def ensure_connection(self, *, max_retries: int) -> None:
        assert max_retries == 0

    def send_task(self, task: str, args: tuple[Any, ...], **options: Any) -> None:
        assert self.may_go_on.wait(30)
        if self.fails:
            raise ConnectionError("no broker")
        self.expiries.append(options.get("expires"))
        self.sent.append((task, args, options.get("queue"), options.get("countdown", 0.0)))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """It stands in for that of the Celery app."""
    found = Broker()
    for name in ("send_task", "producer_or_acquire"):
        monkeypatch.setattr(current_app, name, getattr(found, name))
    yield found
    assert waker.flush(30)
