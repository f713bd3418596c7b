"""The example site as a newcomer starts it: a process of its own, with a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.services.processes import ROOT, free_port, wait_until


class ExampleServer:
    """`uvicorn example_project.asgi:application` over a fresh SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._log = folder / "log"
        self._environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "PYTHONPATH": str(ROOT),
        }
        self.manage("migrate", "-v0")
        command = [sys.executable, "-m", "uvicorn", "example_project.asgi:application"]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), "--log-level", "warning"],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._answers, "the example answers", within=60)

    def manage(self, *command: str) -> None:
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self._environment, check=True)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return requests.get(self.url, timeout=5).ok
        except requests.RequestException:
            return False


@pytest.fixture(scope="session")
def example_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExampleServer]:
    server = ExampleServer(tmp_path_factory.mktemp("example"))
    yield server
    server.stop()
