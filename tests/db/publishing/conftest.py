"""Fixtures of the publishing tests."""

from __future__ import annotations

import pytest

from tests.faults import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
