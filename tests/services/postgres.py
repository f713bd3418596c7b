"""A PostgreSQL cluster of the tests' own."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import psycopg

from tests.services.processes import Program, Reaper, free_port, program, wait_until

_BIN = "usr/lib/postgresql/*/bin"
# Crashes here are those of processes, which lose nothing that the system has in its cache.
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "deadlock_timeout": "100ms",
    "listen_addresses": "127.0.0.1",
}


class Postgres:
    """Started once; databases are copies of one that is migrated once."""

    def __init__(self, reaper: Reaper, **options: str) -> None:
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self.port = free_port()
        folder = reaper.folder("postgres", self._user)
        data = str(folder / "data")
        subprocess.run(
            self._making(data), check=True, capture_output=True, cwd="/", user=self._user, group=self._user
        )
        settings = {**_OPTIONS, **options}
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.server = Program(
            "postgres",
            [
                *(program("postgres", f"{_BIN}/postgres"), "-D", data, "-p", str(self.port)),
                *("-k", str(folder), *given),
            ],
            reaper=reaper,
            folder=folder,
            user=self._user,
        )

    def _making(self, data: str) -> list[str]:
        return [
            *(program("initdb", f"{_BIN}/initdb"), "-D", data, "-U", "postgres", "-A", "trust"),
            *("-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
        ]

    def start(self) -> None:
        self.server.start()
        wait_until(self._answers, "PostgreSQL answers", within=30)

    def restart_at_once(self) -> None:
        """An immediate shutdown, as after a crash, and recovery from the log."""
        self.server.signal(signal.SIGQUIT)
        self.start()

    def url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def query(self, database: str, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def create(self, database: str, template: str = "template1") -> None:
        self.query("postgres", f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    def _answers(self) -> bool:
        try:
            return self.query("postgres", "SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False


class Replica(Postgres):
    """A copy of a running one, which it follows; it can be made to lag behind."""

    def __init__(self, reaper: Reaper, primary: Postgres) -> None:
        self._primary = primary
        super().__init__(reaper)

    def _making(self, data: str) -> list[str]:
        return [
            *(program("pg_basebackup", f"{_BIN}/pg_basebackup"), "-D", data, "-h", "127.0.0.1"),
            *("-p", str(self._primary.port), "-U", "postgres", "-R", "--checkpoint=fast", "--no-sync"),
        ]

    def pause(self) -> None:
        """Show nothing of what comes from now on."""
        self.query("postgres", "SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state()"
        wait_until(
            lambda: self.query("postgres", state) == [("paused",)], "the replica stands still", within=10
        )

    def resume(self) -> None:
        self.query("postgres", "SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until it has all that the other one has now."""
        (position,) = self._primary.query("postgres", "SELECT pg_current_wal_insert_lsn()::text")[0]
        behind = f"SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '{position}') < 0"
        wait_until(lambda: self.query("postgres", behind) == [(False,)], "the replica has it", within=30)
