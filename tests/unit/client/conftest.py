"""A client whose requests end in `responses`, and what it takes to look at them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from django_stream.client import StreamClient
from tests.unit.client.requests_seen import KEY, SECRET


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> StreamClient:
    return StreamClient(KEY, SECRET, "42")
