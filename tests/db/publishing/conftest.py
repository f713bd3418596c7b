"""Fixtures of the publishing tests."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.faults import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def row_locks() -> None:
    assert connection.vendor != "sqlite", "this is about row locks: point DATABASE_URL at PostgreSQL"
