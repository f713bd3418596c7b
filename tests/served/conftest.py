"""The server of feeds behind uvicorn and behind gunicorn, as sites run it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from django_stream.client.config import Endpoints
from django_stream.client.http import HttpTransport
from django_stream.client.retries import RetryPolicy
from tests.contract.calling import Api
from tests.services.processes import Program, Reaper, free_port, listens, wait_until

# Whatever is read whole before it is sent ends as an error of the server.
_PYTHON = [sys.executable, "-W", "error:StreamingHttpResponse must consume"]
COMMANDS = {
    "uvicorn": [
        *("-m", "uvicorn", "tests.served.applications:asgi", "--host", "127.0.0.1", "--port", "{port}"),
        *("--log-level", "warning", "--lifespan", "off"),
    ],
    "gunicorn": [
        *("-m", "gunicorn", "tests.served.applications:wsgi", "--bind", "127.0.0.1:{port}"),
        *("--threads", "4", "--log-level", "warning", "--worker-tmp-dir", "/dev/shm"),
    ],
}


@dataclass(frozen=True)
class Served:
    """A running server."""

    name: str
    url: str
    api: Api


@pytest.fixture(scope="session")
def reaper() -> Iterator[Reaper]:
    reaper = Reaper()
    yield reaper
    reaper.close()


@pytest.fixture(scope="session", params=COMMANDS)
def served(request: pytest.FixtureRequest, reaper: Reaper) -> Iterator[Served]:
    pytest.importorskip(request.param)
    folder, port = reaper.folder("served"), free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.served.settings",
        "DATABASE_URL": f"sqlite:///{folder}/feeds.sqlite3",
        "SERVED_MEDIA": str(folder / "media"),
    }
    _run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], folder, reaper, environment)
    command = [*_PYTHON, *(part.format(port=port) for part in COMMANDS[request.param])]
    program = Program(request.param, command, reaper=reaper, folder=folder, environment=environment)
    program.start()
    try:
        wait_until(lambda: listens(port) or not program.is_running, "it listens", within=30)
        assert program.is_running, program.tail()
        transport = HttpTransport(
            Endpoints(base_url=f"http://127.0.0.1:{port}"), retry=RetryPolicy(retries=0)
        )
        yield Served(request.param, f"http://127.0.0.1:{port}", Api(transport))
        transport.close()
    finally:
        program.stop()
    assert "Traceback" not in program.output.read_text(errors="replace"), program.tail()


def _run(command: list[str], folder: Path, reaper: Reaper, environment: dict[str, str]) -> None:
    program = Program("migrate", command, reaper=reaper, folder=folder, environment=environment)
    program.start()
    try:
        assert program.wait(within=120) == 0, program.tail()
    except subprocess.TimeoutExpired:
        program.stop()
        raise
