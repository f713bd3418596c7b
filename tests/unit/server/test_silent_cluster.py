"""A cluster that takes connections and says nothing costs one caller a wait, and not each."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from django_stream.server.timelines.clustered import cluster as clusters
from django_stream.server.timelines.clustered.cluster import Cluster, Unavailable

pytest.importorskip("redis")


@pytest.fixture
def silent() -> Iterator[Cluster]:
    with socket.socket() as node:
        node.bind(("127.0.0.1", 0))
        node.listen(100)
        yield Cluster(f"redis://127.0.0.1:{node.getsockname()[1]}")


def seconds_refused(cluster: Cluster) -> float:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        cluster.run("return 1", (b"a", ()))
    with pytest.raises(Unavailable):
        cluster.run_all("return 1", [(b"a", ()), (b"b", ())])
    return time.monotonic() - began


def test_nobody_else_waits_for_a_silent_cluster(silent: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_SECONDS", 0.3)
    monkeypatch.setattr(clusters, "_PAUSE", 60.0)
    assert seconds_refused(silent) >= 0.3
    assert sum(seconds_refused(silent) for _ in range(20)) < 0.3


def test_it_is_asked_again_after_a_while(silent: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_SECONDS", 0.3)
    monkeypatch.setattr(clusters, "_PAUSE", 0.0)
    assert seconds_refused(silent) >= 0.3
    assert seconds_refused(silent) >= 0.3
