"""Fixtures of the publishing tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from django_stream.publishing.publisher import publishers, register_publisher, unregister_publisher
from django_stream.tracking import register_follows
from tests.faults import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def row_locks() -> None:
    assert connection.vendor != "sqlite", "this is about row locks: point DATABASE_URL at PostgreSQL"


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Calls `register_follows`, and forgets it at the end."""
    before = publishers()
    monkeypatch.setattr("django_stream.activities.registry._registered", {})
    yield register_follows
    for publisher in publishers():
        if publisher not in before:
            unregister_publisher(publisher)
    for publisher in before:  # one of them may have been declared anew
        register_publisher(publisher)
