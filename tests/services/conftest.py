"""Own instances of everything: a cluster, brokers, and a site on top of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.services.brokers import Broker, RabbitMQ, Redis
from tests.services.postgres import Postgres
from tests.services.processes import Reaper
from tests.services.site import Site, migrate

_TEMPLATE = "migrated"
_BROKERS = {"rabbitmq": RabbitMQ, "redis": Redis}


@pytest.fixture(scope="session")
def reaper() -> Iterator[Reaper]:
    reaper = Reaper()
    yield reaper
    reaper.close()


@pytest.fixture(scope="session")
def postgres(reaper: Reaper) -> Iterator[Postgres]:
    cluster = Postgres(reaper)
    cluster.start()
    migrate(reaper, cluster, _TEMPLATE)
    yield cluster
    cluster.server.stop()


@pytest.fixture(scope="session")
def broker_named(reaper: Reaper) -> Iterator[Callable[[str], Broker]]:
    """Brokers by name, started when they are first asked for."""
    started: dict[str, Broker] = {}

    def named(name: str) -> Broker:
        if name not in started:
            started[name] = _BROKERS[name](reaper)
            started[name].start()
        return started[name]

    yield named
    for broker in started.values():
        broker.stop()


@pytest.fixture
def make_site(
    reaper: Reaper, postgres: Postgres, broker_named: Callable[[str], Broker]
) -> Iterator[Callable[[str], Site]]:
    sites: list[Site] = []

    def make(broker: str) -> Site:
        sites.append(Site(reaper, postgres, broker_named(broker), template=_TEMPLATE))
        return sites[-1]

    yield make
    for site in sites:
        site.stop()
