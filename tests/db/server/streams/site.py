"""A site as processes of its own, over a database of its own: uvicorn, and consumers that connect to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.db import connection

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from tests.contract.calling import token
from tests.services.processes import ROOT, free_port, wait_until

SETTINGS = "tests.db.server.streams.site_settings"


class Database:
    """A migrated database for one test: a file, or one beside that of the tests on their server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = ""
        self._made: list[str] = []

    def new(self) -> str:
        """Its URL."""
        if not self._template:
            self._template = self._created(None)
            command = [sys.executable, "manage.py", "migrate", "-v0"]
            subprocess.run(command, cwd=ROOT, env=environment(self._template, {}), check=True)
        return self._created(self._template)

    def close(self) -> None:
        for name in self._made:
            _administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _created(self, template: str | None) -> str:
        name = f"streams_{uuid4().hex[:12]}"
        if connection.vendor != "postgresql":
            path = self._folder / f"{name}.sqlite3"
            if template:
                shutil.copy(template.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"
        _administer(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{_name(template)}"' if template else ""))
        self._made.insert(0, name)
        return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _administer(sql: str) -> None:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres", autocommit=True) as db:
        db.execute(sql)


def environment(database_url: str, settings: dict[str, Any]) -> dict[str, str]:
    given = {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "SITE_DATABASE_URL": database_url,
        "SITE_SETTINGS": json.dumps(settings),
        "PYTHONPATH": str(ROOT),
    }
    return {**os.environ, **given}


class Server:
    """One uvicorn process."""

    def __init__(
        self, database_url: str, log: Path, *, application: str = "application", **settings: Any
    ) -> None:
        self._application = f"tests.db.server.streams.site_asgi:{application}"
        named = {f"STREAM_SERVER_{name}": value for name, value in settings.items()}
        self._environment = environment(database_url, named)
        self.log = log
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/api/v1.0/"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", self._application]
        options = ["--port", str(self.port), "--log-level", "warning", "--ws-per-message-deflate", "false"]
        options += ["--ws-max-size", "262144"]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command + options, cwd=ROOT, env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )
        wait_until(self._answers, "the server answers", within=60)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.get(f"{self.base}health/", timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def terminate(self) -> int:
        """Ask it to end; the status it ends with."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def manage(self, command: str, **settings: Any) -> None:
        """Run a management command on the server's database."""
        named = {f"STREAM_SERVER_{name}": value for name, value in settings.items()}
        own = {**self._environment, "SITE_SETTINGS": json.dumps(named)}
        subprocess.run([sys.executable, "manage.py", command], cwd=ROOT, env=own, check=True)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer's JSON of a call that must succeed."""
        answer = requests.request(
            method,
            self.base + path,
            params={"api_key": EMBEDDED_API_KEY, **query},
            headers={"Authorization": token()},
            json=body,
            timeout=60,
        )
        assert answer.ok, answer.text
        return answer.json()

    def post(self, number: int, feed: str = "user/ann", **fields: Any) -> None:
        """An activity whose object is a number."""
        self.call("POST", f"feed/{feed}/", {"actor": "ann", "verb": "post", "object": str(number), **fields})

    def post_many(self, numbers: range, **fields: Any) -> None:
        listed = list(numbers)
        for start in range(0, len(listed), 100):
            items = [
                {"actor": "ann", "verb": "post", "object": str(number), **fields}
                for number in listed[start : start + 100]
            ]
            self.call("POST", "feed/user/ann/", {"activities": items})

    def stream(self, *object_types: str, **fields: Any) -> dict[str, Any]:
        body = {"object_types": list(object_types) or ["activity"], "type": "long_poll", **fields}
        return dict(self.call("POST", "streams", body)["data"])

    def filter(self, verb: str) -> dict[str, Any]:
        clause = {"object_type": "activity", "field": "/data/verb", "operator": "equals", "value": verb}
        return {"name": verb, "match_policy": "include_any", "clauses": [clause]}

    def status(self, stream: dict[str, Any]) -> dict[str, Any]:
        return dict(self.call("GET", f"streams/{stream['id']}/status")["data"])


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("streams"))
    yield database
    database.close()


@pytest.fixture
def servers(databases: Database, tmp_path: Path) -> Iterator[Any]:
    """Makes servers over one database; they end with the test."""
    url, running = databases.new(), list[Server]()

    def start(**settings: Any) -> Server:
        running.append(Server(url, tmp_path / f"server{len(running)}.log", **settings))
        return running[-1]

    yield start
    for server in running:
        if server.process is not None and server.process.poll() is None:
            server.kill()
