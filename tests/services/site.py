"""A whole site: two databases, the API behind HTTP, a Celery worker, and writers."""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import cached_property
from pathlib import Path
from time import monotonic
from uuid import uuid4

from tests.services.brokers import Broker
from tests.services.postgres import Postgres
from tests.services.processes import Program, Reaper, free_port, listens, wait_until

_PYTHON = [sys.executable, "-W", "ignore"]


class Site:
    """Its programs run on their own; only the databases' cluster and the broker are lent."""

    def __init__(self, reaper: Reaper, postgres: Postgres, broker: Broker, *, template: str) -> None:
        self.postgres = postgres
        self.broker = broker
        self.count: Counter[str] = Counter()
        """What was done to it."""
        self.folder = reaper.folder("site")
        self._reaper = reaper
        self.database, self.feeds = f"site_{uuid4().hex[:8]}", f"feeds_{uuid4().hex[:8]}"
        for database in (self.database, self.feeds):
            postgres.create(database, template)
        self.api_port = free_port()
        self.feeds_environment = {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": postgres.url(self.feeds),
        }
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "tests.services.site_settings",
            "DATABASE_URL": postgres.url(self.database),
            "CELERY_BROKER_URL": broker.url,
            "STREAM_BACKEND": f"http://127.0.0.1:{self.api_port}",
        }
        self.worker_options: list[str] = []
        self._others: list[Program] = []

    @cached_property
    def api(self) -> Program:
        return self._program("api", self._api_command(), self.feeds_environment)

    @cached_property
    def worker(self) -> Program:
        """Made when first used, so that the road to the API may be changed before."""
        return self._program("worker", self._worker_command(), self.environment)

    def another_worker(self) -> Program:
        """One more, for the same queues; it has no beat."""
        command = [word for word in self._worker_command() if word != "--beat"]
        self._others.append(self._program("another", [*command, "-n", "another@%h"], self.environment))
        return self._others[-1]

    def start(self) -> None:
        self.start_api()
        self.worker.start()

    def start_api(self) -> None:
        self.api.start()
        wait_until(lambda: listens(self.api_port), "the API listens", within=30)

    def stop(self) -> None:
        for one in (self.worker, self.api, *self._others):
            one.stop()

    def run(self, name: str, module: str, *arguments: str) -> Program:
        """Start a Python module of these tests with the site's settings."""
        program = self._program(name, [*_PYTHON, "-m", module, *arguments], self.environment)
        self._others.append(program)
        program.start()
        return program

    def report_of(self, program: Program, *, within: float) -> dict[str, int]:
        """The line of JSON that a program printed before it ended well."""
        status = program.wait(within=within)
        assert status == 0, program.tail()
        # Libraries may have had something to say at the very end.
        lines = program.output.read_text(errors="replace").splitlines()
        (line,) = [line for line in lines if line.startswith("{")]
        report: dict[str, int] = json.loads(line)
        return report

    def add_users(self, count: int) -> None:
        self.postgres.query(
            self.database,
            "INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, "
            "is_staff, is_active, date_joined) SELECT 'user' || n, '', '', '', '', false, false, true, now() "
            f"FROM generate_series(1, {count}) n",
        )

    def waiting(self) -> int:
        """How many outbox entries there are."""
        return int(self.postgres.query(self.database, "SELECT count(*) FROM django_stream_outboxentry")[0][0])

    def parked(self) -> int:
        sql = "SELECT count(*) FROM django_stream_outboxentry WHERE parked_at IS NOT NULL"
        return int(self.postgres.query(self.database, sql)[0][0])

    def leased(self) -> int:
        """How many objects are in a worker's hands."""
        sql = "SELECT count(*) FROM django_stream_publication WHERE lease IS NOT NULL"
        return int(self.postgres.query(self.database, sql)[0][0])

    def at_work(self) -> int:
        """How many objects are in the hands of a worker that is not dead."""
        sql = "SELECT count(*) FROM django_stream_publication WHERE leased_until > now()"
        return int(self.postgres.query(self.database, sql)[0][0])

    def wait_until_drained(self, *, within: float) -> None:
        supervisor = _Supervisor(self)
        wait_until(supervisor.sees_an_empty_outbox, "the outbox is empty", within=within)

    def _program(self, name: str, command: list[str], environment: dict[str, str]) -> Program:
        return Program(name, command, reaper=self._reaper, folder=self.folder, environment=environment)

    def _api_command(self) -> list[str]:
        application = "tests.services.feeds_wsgi:application"
        return [
            *(*_PYTHON, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{self.api_port}"),
            *("--worker-class", "gthread", "--threads", "4", "--keep-alive", "30", "--log-level", "warning"),
            *("--worker-tmp-dir", str(self.folder)),
        ]

    def _worker_command(self) -> list[str]:
        schedule = str(self.folder / "schedule")
        return [
            *(*_PYTHON, "-m", "celery", "-A", "tests.services.celery_app", "worker", "--pool=prefork"),
            *("-c", "2", "--beat", "--schedule", schedule, "--loglevel", "WARNING", "--without-gossip"),
            *("--without-mingle", "--without-heartbeat", *self.worker_options),
        ]


class _Supervisor:
    """Restarts a worker that takes no tasks, as every site's should.

    A Celery worker may end, or reconnect and consume nothing, when Redis goes away several times
    within seconds (celery issues 8030 and 8091). One that holds leases does work, and is left alone.
    """

    _PATIENCE_SECONDS = 20.0

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting = -1
        self._moved_at = monotonic()

    def sees_an_empty_outbox(self) -> bool:
        waiting = self._site.waiting()
        if waiting != self._waiting or self._site.at_work():
            self._waiting, self._moved_at = waiting, monotonic()
        elif monotonic() - self._moved_at > self._PATIENCE_SECONDS:
            self._site.worker.kill()
            self._site.worker.start()
            self._site.count["idle workers restarted"] += 1
            self._moved_at = monotonic()
        return waiting == 0


def migrate(reaper: Reaper, postgres: Postgres, database: str) -> None:
    """Make the database that others are copied from."""
    postgres.create(database)
    folder: Path = reaper.folder("migrate")
    program = Program(
        "migrate",
        [*_PYTHON, "-m", "django", "migrate", "--verbosity", "0"],
        reaper=reaper,
        folder=folder,
        environment={"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": postgres.url(database)},
    )
    program.start()
    assert program.wait(within=60) == 0, program.tail()
