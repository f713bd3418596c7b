"""Streams are switched on here, and servers run with them."""

from __future__ import annotations

import pytest

from tests.db.server.streams.site import databases, servers

__all__ = ["databases", "servers"]


@pytest.fixture(autouse=True)
def streams(app_streams: None) -> None:
    """Every test here has them."""
