"""A replica that lags on purpose: everybody finds what they wrote, and all others read from the replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from redis import Redis as Client

from tests.scale.replicated import Site, replicated_site
from tests.services.postgres import Replica
from tests.services.processes import wait_until

pytestmark = pytest.mark.scale


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with replicated_site() as found:
        yield found


@pytest.fixture
def lagging(site: Site) -> Iterator[Replica]:
    """It has what was written before the test, and nothing else until it is resumed."""
    site.replica.catch_up()
    site.replica.pause()
    yield site.replica
    site.replica.resume()
    site.replica.catch_up()


def test_a_writer_finds_what_they_wrote_and_a_visitor_what_the_replica_has(
    site: Site, lagging: Replica
) -> None:
    writer, visitor = site.browser(), site.browser()
    writer.write("ann", "first")

    for _ in range(10):  # by both processes, and several threads of each
        assert writer.profile("ann") == (["first"], "default")
        assert visitor.profile("ann") == ([], "replica")

    lagging.resume()
    lagging.catch_up()
    for one in (writer, visitor):
        assert one.profile("ann") == (["first"], "replica")


def test_an_application_finds_what_it_wrote_without_cookies(site: Site, lagging: Replica) -> None:
    api = site.api()
    written = api.post("user:app")["id"]

    def shown() -> list[str]:
        return [one["id"] for one in api.page("user:app")]

    assert [shown() for _ in range(10)] == [[written]] * 10
    with Client.from_url(site.cache.url) as client:
        client.flushall()
    assert shown() == [], "nobody remembers, and the replica is read"
    lagging.resume()
    lagging.catch_up()
    assert shown() == [written]


@pytest.fixture
def asked_of_the_primary(site: Site) -> Iterator[Callable[[], list[str]]]:
    """The statements that the site has asked the primary since this was called last."""
    for sql in ("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"):
        site.primary.query("postgres", sql)
    read = [len(site.primary.server.output.read_text(errors="replace"))]

    def asked() -> list[str]:
        site.primary.query("postgres", "SELECT 'the end'")
        new = site.primary.server.output.read_text(errors="replace")[read[0] :]
        read[0] += len(new)
        return [line for line in new.splitlines() if "LOG:  statement" in line][:-1]

    yield asked
    for sql in ("ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()"):
        site.primary.query("postgres", sql)


def test_pages_ask_the_primary_nothing(site: Site, asked_of_the_primary: Callable[[], list[str]]) -> None:
    site.browser().write("eve", "first")
    api = site.api()
    api.post("user:quiet")
    site.replica.catch_up()
    for _ in range(8):
        site.browser().profile("eve")
    assert any("INSERT" in line for line in asked_of_the_primary()), "what it is asked is seen here"
    site.browser().profile("eve")
    api.page("user:quiet")
    api.enriched("user:quiet")
    assert asked_of_the_primary() == []


def test_without_its_replica_the_site_goes_on(site: Site) -> None:
    visitor = site.browser()
    visitor.write("bob", "first")
    site.replica.catch_up()
    assert visitor.profile("bob") == (["first"], "replica")

    site.replica.server.kill()
    seen = {visitor.profile("bob")[1] for _ in range(10)}
    assert seen == {"default"}

    site.replica.start()
    wait_until(
        lambda: visitor.profile("bob") == (["first"], "replica"), "the replica is read again", within=30
    )


def test_under_load_nobody_misses_what_they_wrote(site: Site) -> None:
    """Ten writers, fifty readers, and a replica that stands still every now and then."""
    over = Event()

    def writes(number: int) -> int:
        browser, titles = site.browser(), []
        for count in range(12):
            titles.insert(0, str(count))
            browser.write(f"writer{number}", titles[0])
            # The feed may be a moment late: the request of another one may be publishing this.
            assert browser.profile(f"writer{number}", part="rows")[0] == titles
        return len(titles)

    def reads(number: int) -> set[str]:
        browser, seen = site.browser(), set()
        while not over.is_set():
            seen.add(browser.profile(f"writer{number % 10}")[1])
        return seen

    def lags() -> None:
        while not over.is_set():
            site.replica.pause()
            over.wait(0.2)
            site.replica.resume()
            over.wait(0.2)

    with ThreadPoolExecutor(61) as pool:
        readers = [pool.submit(reads, number) for number in range(50)]
        lag = pool.submit(lags)
        writers = [pool.submit(writes, number) for number in range(10)]
        try:
            assert [one.result(240) for one in writers] == [12] * 10
        finally:
            over.set()
        lag.result(30)
        site.replica.catch_up()
        assert {alias for one in readers for alias in one.result(60)} == {"replica"}
