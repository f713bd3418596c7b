"""Flat timelines on a cluster of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scale.nodes import Nodes
from tests.services.processes import Reaper


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    reaper = Reaper()
    nodes = Nodes(reaper)
    nodes.start()
    yield nodes
    nodes.stop()
    reaper.close()


@pytest.fixture
def on_cluster(nodes: Nodes, settings) -> Nodes:
    """The server keeps its flat timelines there, which are empty."""
    with nodes.client() as client:
        client.flushall()
    settings.STREAM_SERVER_TIMELINES = nodes.url
    return nodes
