"""A site of two processes with a primary and a replica of its own, and its visitors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from django_stream.client.config import Endpoints
from django_stream.client.http import HttpTransport
from django_stream.client.retries import RetryPolicy
from tests.contract.calling import Api
from tests.services.brokers import Redis
from tests.services.postgres import Postgres, Replica
from tests.services.processes import Program, Reaper, free_port, listens, wait_until
from tests.services.site import migrate


@dataclass(frozen=True)
class Site:
    """Two processes with a primary and a replica."""

    url: str
    primary: Postgres
    replica: Replica
    cache: Redis
    program: Program
    """The site's own processes."""

    def browser(self) -> Browser:
        return Browser(self.url)

    def api(self) -> Api:
        return Api(HttpTransport(Endpoints(base_url=self.url), retry=RetryPolicy(retries=0)))


class Browser:
    """One visitor, who keeps cookies."""

    def __init__(self, url: str) -> None:
        self._url, self._session = url, requests.Session()

    def write(self, name: str, title: str) -> None:
        answer = self._session.post(f"{self._url}/{name}/write", {"title": title}, timeout=20)
        assert answer.status_code == 201, answer.text[-2000:]

    def bare(self) -> None:
        """Ask for nothing."""
        assert self._session.get(f"{self._url}/bare", timeout=20).status_code == 200

    def profile(self, name: str, *, part: str = "feed") -> tuple[list[str], str]:
        """What it shows of the feed or of the rows, and the database that it was read from."""
        answer = self._session.get(f"{self._url}/{name}/", timeout=20)
        assert answer.status_code == 200, answer.text[-2000:]
        return answer.json()[part], answer.json()["from"]


@contextmanager
def replicated_site() -> Iterator[Site]:
    """It runs until the end of the block."""
    reaper = Reaper()
    primary = Postgres(reaper)
    primary.start()
    migrate(reaper, primary, "site")
    replica = Replica(reaper, primary)
    replica.start()
    cache = Redis(reaper)
    cache.start()
    port = free_port()
    program = Program(
        "site",
        [
            *(sys.executable, "-W", "ignore", "-m", "gunicorn", "tests.services.feeds_wsgi:application"),
            *("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "8", "--log-level", "warning"),
            # Visitors come back on the same connection.
            *("--worker-tmp-dir", "/dev/shm", "--keep-alive", "30"),
        ],
        reaper=reaper,
        folder=reaper.folder("replicas"),
        environment={
            "DJANGO_SETTINGS_MODULE": "tests.scale.replica_settings",
            "DATABASE_URL": primary.url("site"),
            "REPLICA_URL": replica.url("site"),
            "CACHE_URL": cache.url,
        },
    )
    program.start()
    wait_until(lambda: listens(port), "the site listens", within=30)
    try:
        yield Site(f"http://127.0.0.1:{port}", primary, replica, cache, program)
    finally:
        program.stop()
        for one in (replica.server, primary.server, cache.server):
            one.stop()
        reaper.close()
