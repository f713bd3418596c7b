from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def streams(app_streams: None) -> None:
    """Every test here has them."""
