"""EventSource of a real browser follows a stream, through a restart of the server."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.db.server.streams.site import databases, servers
from tests.services.processes import wait_until

__all__ = ["databases", "servers"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

LISTEN = """
window.seen = [];
window.source = new EventSource(arguments[0]);
window.source.addEventListener('activity', (event) => {
  window.seen.push([event.lastEventId, JSON.parse(event.data).data.object]);
});
"""


def test_a_browser_misses_nothing_when_the_server_is_killed(servers: Any, browser: WebDriver) -> None:
    server = servers()
    endpoint = server.stream()["endpoint"]
    browser.get(f"{server.base}health/")
    browser.execute_script(LISTEN, endpoint)

    def seen() -> list[list[str]]:
        found: list[list[str]] = browser.execute_script("return window.seen")
        return found

    server.post_many(range(3))
    wait_until(lambda: len(seen()) == 3, "the events arrive", within=30)
    server.kill()
    server.start()
    server.post(3)
    wait_until(lambda: len(seen()) == 4, "the browser comes back by itself", within=60)
    assert [name for _, name in seen()] == ["0", "1", "2", "3"]
    assert len({number for number, _ in seen()}) == 4
    server.call("DELETE", "streams")
    wait_until(
        lambda: browser.execute_script("return window.source.readyState") == 2,
        "a stream that is deleted is not asked for again",
        within=30,
    )
