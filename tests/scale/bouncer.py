"""PgBouncer in transaction mode: who asks twice is answered by two different connections."""

from __future__ import annotations

import os

import psycopg

from tests.services.processes import Program, Reaper, free_port, program, wait_until

_CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={postgres} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
# Few enough that transactions of different clients take turns on each.
default_pool_size = 8
max_client_conn = 500
server_idle_timeout = 2
ignore_startup_parameters = extra_float_digits
"""


class Bouncer:
    """In front of a PostgreSQL on this machine."""

    def __init__(self, reaper: Reaper, postgres: int, mode: str = "transaction") -> None:
        # It refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        folder = reaper.folder("pgbouncer", user)
        self.port = free_port()
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(_CONFIGURATION.format(postgres=postgres, port=self.port, mode=mode))
        configuration.chmod(0o644)
        command = [program("pgbouncer", "usr/sbin/pgbouncer"), str(configuration)]
        self.server = Program("pgbouncer", command, reaper=reaper, folder=folder, user=user)

    def start(self) -> None:
        self.server.start()
        wait_until(self._answers, "PgBouncer answers", within=30)

    def url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, prepare_threshold=None) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False
