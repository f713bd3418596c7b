"""The same measurement on SQLite and on PostgreSQL, each in a process and a database of its own."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


def in_each_database(
    package: str, parser: argparse.ArgumentParser, report: Callable[[argparse.Namespace], bool]
) -> int:
    """Exit status 1 if a report says that a target is missed; `package` has a module of settings."""
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return _measure(package, options, report)
    made = {"sqlite": sqlite, "postgresql": postgres}
    status = 0
    for name in options.database or made:
        with made[name]() as url:
            command = [sys.executable, "-m", package, *sys.argv[1:], "--here"]
            status |= subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    print("\nall targets met" if status == 0 else "\na target is missed")
    return status


def _measure(package: str, options: argparse.Namespace, report: Callable[[argparse.Namespace], bool]) -> int:
    """In a process of its own, with DATABASE_URL set."""
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{package}.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    # The measured models, which have no migrations, refer to what these have made.
    call_command("migrate", verbosity=0, run_syncdb=True)
    return 0 if report(options) else 1


@contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'measured.sqlite3'}"


@contextmanager
def postgres() -> Iterator[str]:
    import psycopg

    host, port = os.environ.get("PGHOST", "127.0.0.1"), os.environ.get("PGPORT", "5432")
    server = f"postgres://{os.environ.get('PGUSER', 'postgres')}@{host}:{port}"
    name = f"measured_{uuid4().hex[:8]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]
