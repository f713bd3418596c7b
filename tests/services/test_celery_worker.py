"""A real Celery worker publishes what saved models say, on either broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.services.site import Site

pytestmark = pytest.mark.services


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_a_worker_publishes_what_a_writer_saves(broker: str, make_site: Callable[[str], Site]) -> None:
    site = make_site(broker)
    # Whatever is published must have been published because of a nudge.
    site.environment["BEAT_SECONDS"] = "3600"
    site.start()
    site.add_users(5)

    writer = site.run("writer", "tests.services.writer", *("--seed", "1", "--operations", "60"))
    written = site.report_of(writer, within=60)
    site.wait_until_drained(within=60)

    assert written["operations"] >= 60
    found = site.report_of(site.run("comparison", "tests.services.comparison"), within=60)
    assert found["entries"] > 0
    assert found["differences"] == 0
