"""Behind PgBouncer in transaction mode, a site loses nothing either, also when PgBouncer is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Timer
from typing import Any

import pytest
from dj_database_url import parse
from django.db import connections

from django_stream.database.notifications import notifications
from django_stream.database.poolers import check_pooler
from tests.scale.bouncer import Bouncer
from tests.services.conftest import broker_named, make_site, postgres, reaper
from tests.services.postgres import Postgres
from tests.services.processes import Reaper
from tests.services.site import Site
from tests.services.test_faults import (
    USERS,
    assert_feeds_equal_tables,
    harm_while,
    kill_the_worker_in_mid_batch,
    start_writers,
    written_by,
)

__all__ = ["broker_named", "make_site", "postgres", "reaper"]

pytestmark = pytest.mark.scale


@pytest.fixture(scope="module")
def bouncer(reaper: Reaper, postgres: Postgres) -> Iterator[Bouncer]:
    bouncer = Bouncer(reaper, postgres.port)
    bouncer.start()
    yield bouncer
    bouncer.server.stop()


@pytest.fixture
def site(make_site: Callable[[str], Site], bouncer: Bouncer) -> Site:
    """All its processes reach their databases by way of PgBouncer."""
    site = make_site("redis")
    behind = {site.database: site.environment, site.feeds: site.feeds_environment}
    for database, environment in behind.items():
        environment |= {"DATABASE_URL": bouncer.url(database), "DISABLE_SERVER_SIDE_CURSORS": "1"}
    return site


@pytest.mark.parametrize("killed", ["worker", "PgBouncer"])
def test_after_a_fault_feeds_equal_tables(site: Site, bouncer: Bouncer, killed: str) -> None:
    site.start()
    site.add_users(USERS)

    def kill_the_bouncer(site: Site) -> None:
        bouncer.server.kill()
        site.count["PgBouncers killed"] += 1
        bouncer.start()

    writers = start_writers(site)
    fault = kill_the_bouncer if killed == "PgBouncer" else kill_the_worker_in_mid_batch
    harm_while(site, writers, fault, every=3)
    written = written_by(site, writers)
    site.wait_until_drained(within=180)

    assert site.count.total() > 0
    assert_feeds_equal_tables(site, written)


_TOLD = {"DISABLE_SERVER_SIDE_CURSORS": True, "STREAM_DIRECT": {"PORT": 5432}}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "told", "found"),
    [
        ("transaction", {}, ["E110", "W111"]),
        ("transaction", {"OPTIONS": {"prepare_threshold": 5}}, ["E110", "W110", "W111"]),
        ("transaction", _TOLD, []),
        ("statement", {}, ["E110", "W111"]),
        ("session", {}, []),
        ("", {}, []),
    ],
)
def test_a_check_finds_it(
    reaper: Reaper,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    told: dict[str, Any],
    found: list[str],
) -> None:
    url = postgres.url("postgres")
    if mode:
        bouncer = Bouncer(reaper, postgres.port, mode)
        bouncer.start()
        url = bouncer.url("postgres")
    behind = parse(url) | {"OPTIONS": {}} | told
    settings = {**connections.settings["default"], **behind}
    monkeypatch.setitem(connections.settings, "default", settings)
    monkeypatch.setattr(connections["default"], "settings_dict", settings)
    assert [one.id for one in check_pooler(["default"])] == [f"django_stream.{one}" for one in found]
    if mode:
        bouncer.server.stop()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("direct", [True, False])
def test_who_listens_goes_past_it(
    bouncer: Bouncer, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    behind = parse(bouncer.url("postgres")) | {"OPTIONS": {}}
    if direct:
        behind["STREAM_DIRECT"] = {"PORT": postgres.port}
    monkeypatch.setitem(connections.settings, "default", {**connections.settings["default"], **behind})
    stopped = Event()
    heard = notifications("default", "news", stopped)
    next(heard)  # it listens
    postgres.query("postgres", "NOTIFY news")
    timer = Timer(2 if direct else 0.5, stopped.set)
    timer.start()
    assert (next(heard, "nothing") is None) == direct
    timer.cancel()
    heard.close()
