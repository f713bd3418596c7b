from collections.abc import Iterator

import pytest

from tests.db.server.opengraph.web import Web, serving


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as running:
        yield running
