"""Every scenario runs against the server in this process and over a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_stream.client.config import Endpoints
from django_stream.client.http import HttpTransport
from django_stream.client.retries import RetryPolicy
from tests.contract.calling import Api

IN_PROCESS, SOCKET = "in process", "socket"


def pytest_itemcollected(item: pytest.Item) -> None:
    """A server thread sees only what is committed; in process a transaction around a test is enough."""
    home = item.callspec.params.get("api") if hasattr(item, "callspec") else None
    if home is not None:
        item.add_marker(pytest.mark.django_db(transaction=home == SOCKET))


@pytest.fixture(params=[IN_PROCESS, SOCKET])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    if request.param == IN_PROCESS:
        yield Api()
        return
    server = request.getfixturevalue("live_server")
    transport = HttpTransport(Endpoints(base_url=server.url), retry=RetryPolicy(retries=0))
    yield Api(transport)
    transport.close()
