"""A plugin (`-p tests.scale.on_cluster`): whatever suite is run keeps its flat timelines on a cluster.

Changes are told after the commit, so tests commit.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scale.nodes import Nodes
from tests.services.processes import Reaper


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        mark = item.get_closest_marker("django_db")
        wanted = {**mark.kwargs} if mark else {}
        if mark or "db" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(**{**wanted, "transaction": True}), append=False)


@pytest.fixture(scope="session")
def cluster_for_all() -> Iterator[Nodes]:
    reaper = Reaper()
    nodes = Nodes(reaper)
    nodes.start()
    yield nodes
    nodes.stop()
    reaper.close()


@pytest.fixture(autouse=True)
def timelines_on_a_cluster(cluster_for_all: Nodes, settings) -> None:
    with cluster_for_all.client() as client:
        client.flushall()
    settings.STREAM_SERVER_TIMELINES = cluster_for_all.url
