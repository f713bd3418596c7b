"""Feed groups that the pages about moving tell to configure."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def feed_groups(settings: Any) -> Any:
    """As the page has it, with the groups that the site has already."""
    settings.STREAM_SERVER_FEED_GROUPS = {
        "user": {"kind": "flat"},
        "timeline": {"kind": "flat"},
        "timeline_aggregated": {"kind": "aggregated"},
        "notification": {"kind": "notification", "aggregation_format": "{{ id }}"},
        "object": {"kind": "flat"},
        "target": {"kind": "flat"},
        "model": {"kind": "flat"},
    }
    return settings
