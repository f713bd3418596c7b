"""Fixtures of the work on whole tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_stream.operations import backfill
from tests.faults import BreakingTransport, Step, client_over


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> Callable[..., BreakingTransport]:
    """Runs send their requests over a road with these steps, and then whole."""

    def send_over(*steps: Step) -> BreakingTransport:
        transport = BreakingTransport(*steps)
        monkeypatch.setattr(backfill, "get_client", lambda: client_over(transport))
        return transport

    return send_over
