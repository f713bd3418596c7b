"""The timeline store is named by a dotted path or by an address, and a wrong one is a check's matter."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks

from django_stream.server.timelines.clustered.cluster import nodes_of
from tests.extras import needs


def problems() -> list[str]:
    return [found.msg for found in run_checks(tags=["django_stream_server"]) if found.id.endswith("E005")]


@pytest.mark.parametrize(
    "value",
    [
        "django_stream.server.timelines.database.DatabaseTimeline",
        "django_stream.server.conf.ServerSettings",
        "memcached://127.0.0.1:11211",
        "redis://",
        "redis://one:6379,:6380",
        "redis://one:port",
    ],
)
def test_a_store_that_cannot_be_is_named(settings, value):
    settings.STREAM_SERVER_TIMELINES = value
    [problem] = problems()
    assert problem.startswith("STREAM_SERVER_TIMELINES: ")


@needs("redis")
def test_a_cluster_is_named_by_its_nodes_and_asked_nothing_at_start(settings):
    settings.STREAM_SERVER_TIMELINES = "redis://user:secret@one.invalid:6379,two.invalid/?socket_timeout=0.5"
    assert problems() == []
    assert nodes_of(settings.STREAM_SERVER_TIMELINES) == [("one.invalid", 6379), ("two.invalid", 6379)]


def test_the_default_is_the_database():
    assert problems() == []
