"""What tests/db/server/test_any_json.py says, over real servers: of both kinds, on both databases, with both
libraries for JSON. And bytes that no client would send."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests

from django_stream.client.config import Endpoints
from django_stream.client.http import HttpTransport
from django_stream.client.retries import RetryPolicy
from django_stream.protocol.credentials import EMBEDDED_API_KEY
from tests.any_json.doors import Answer, Doors
from tests.any_json.properties import PROPERTIES
from tests.contract.calling import Api, token
from tests.extras import needs
from tests.services.postgres import Postgres
from tests.services.processes import Program, Reaper, free_port, listens, wait_until

pytestmark = [pytest.mark.services, needs("aggregation")]

_PYTHON = [sys.executable, "-W", "ignore", "-m"]
_SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.services.any_json_settings"}
_USER = {"username": "ada", "password": "secret"}
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
HOMES = list(product(("gunicorn", "uvicorn"), ("sqlite", "postgres"), ("orjson", "json")))


def command(server: str, port: int, folder: Path) -> list[str]:
    if server == "uvicorn":
        return [*_PYTHON, "uvicorn", "tests.services.any_json_asgi:application", "--port", str(port)]
    application, address = "tests.services.any_json_wsgi:application", f"127.0.0.1:{port}"
    options = ["--worker-class", "gthread", "--threads", "4", "--worker-tmp-dir", str(folder)]
    return [*_PYTHON, "gunicorn", application, "--bind", address, *options]


def signed_in(url: str) -> requests.Session:
    session = requests.Session()
    found = _TOKEN.search(session.get(f"{url}/admin/login/").text)
    assert found is not None
    form = {**_USER, "csrfmiddlewaretoken": found[1], "next": "/json-library/"}
    assert session.post(f"{url}/admin/login/", form).url == f"{url}/json-library/"
    return session


@pytest.fixture(scope="module", params=HOMES, ids="-".join)
def running(request: pytest.FixtureRequest, reaper: Reaper) -> Iterator[tuple[str, str]]:
    """The address of a server of its own, with a superuser; and its library for JSON."""
    kind, database, library = request.param
    folder, port = reaper.folder("any-json"), free_port()
    environment = {**_SETTINGS, "DATABASE_URL": f"sqlite:///{folder}/feeds.sqlite3"}
    if database == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        cluster.create(f"any_json_{port}", "migrated")
        environment["DATABASE_URL"] = cluster.url(f"any_json_{port}")
    if library == "json":
        environment["WITHOUT_ORJSON"] = "1"

    def program(name: str, words: list[str], **more: str) -> Program:
        return Program(name, words, reaper=reaper, folder=folder, environment=environment | more)

    user = ["createsuperuser", "--noinput", "--username", _USER["username"], "--email", "ada@example.com"]
    for words in (["migrate", "--verbosity", "0"], user):
        once = program(words[0], [*_PYTHON, "django", *words], DJANGO_SUPERUSER_PASSWORD=_USER["password"])
        once.start()
        assert once.wait(within=60) == 0, once.tail()
    serving = program("server", command(kind, port, folder))
    serving.start()
    wait_until(lambda: listens(port), "the server listens", within=30)
    yield f"http://127.0.0.1:{port}", library
    serving.stop()
    raised = re.findall(r"(.*)\nTraceback", serving.output.read_text())
    # The site's own templates may fail on what strangers write: then the plain one is taken.
    assert [line for line in raised if "cannot be shown by" not in line] == [], serving.tail()


@pytest.fixture(scope="module")
def doors(running: tuple[str, str]) -> Iterator[Doors]:
    server, library = running
    session = signed_in(server)
    assert session.get(f"{server}/json-library/").text == library

    def http(method: str, address: str, body: bytes, headers: dict[str, str]) -> Answer:
        answer = session.request(method, server + address, data=body or None, headers=headers, timeout=60)
        return Answer(answer.status_code, answer.headers["Content-Type"], answer.content)

    transport = HttpTransport(Endpoints(base_url=server), retry=RetryPolicy(retries=0))
    doors = Doors(Api(transport), http, "1")
    doors.prepare()
    yield doors
    transport.close()
    session.close()


def test_any_json(doors: Doors) -> None:
    for check in PROPERTIES.values():
        check(doors)


# What stands between method and headers, and whether the server itself may refuse it.
RAW_PATHS = [
    b"/api/v1.0/feed/user/\xff/",
    b"/api/v1.0/feed/user/%ff%00/",
    b"/api/v1.0/feed/user/1/?limit=\xff",
    b"/api/v1.0/feed/user/1/?limit=%ff",
    b"/api/v1.0/feed/user/1/?api_key=%00",
    b"/api/v1.0/feed/user/1/?api_key=\xc3\xa9",
    b"/api/v1.0/feed/user/1/?api_key=%ED%A0%80",
    b"/api/v1.0/%ED%A0%80/",
    b"/api/v1.0//%0d%0a/../x",
    b"/api/v1.0/feed/user/1/?\xe2\x80\xa8",
]
RAW_BODIES = [
    (b"", b'5\r\n{"a":\r\n0\r\n\r\n', b"Transfer-Encoding: chunked"),
    (b"", b"\xff\xfe{\x00}\x00", b"Content-Length: 6"),
    (b"", b"\xef\xbb\xbf{}", b"Content-Length: 5"),
    (b"", b'{"a": "\xff"}', b"Content-Length: 10"),
    (b"", b"\x00", b"Content-Length: 1"),
    (b"; charset=utf-16", b"{}", b"Content-Length: 2"),
    (b"; charset=hex", b"{}", b"Content-Length: 2"),
]


def exchange(server: str, request: bytes) -> tuple[int, str, bytes]:
    """Status, content type and body of the answer to these bytes."""
    host, _, port = server.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(request)
        answer = HTTPResponse(line)
        answer.begin()
        return answer.status, answer.headers["Content-Type"], answer.read()


def told(server: str, request: bytes) -> None:
    """The envelope; or the refusal of the server in front, to which Django never came."""
    status, kind, body = exchange(server, request)
    assert 400 <= status < 500, (status, body)
    if kind == "application/json":
        answer: dict[str, Any] = json.loads(body)
        assert answer["status_code"] == status
        assert answer["duration"].endswith("ms")
    else:
        assert body in (b"Invalid HTTP request received.",) or b"<title>Bad Request</title>" in body, body


def test_bytes_that_no_client_sends(running: tuple[str, str]) -> None:
    server, _ = running
    close = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    for path in RAW_PATHS:
        told(server, b"GET " + path + close + b"\r\n")
    signed = f"Authorization: {token()}\r\nStream-Auth-Type: jwt\r\n".encode()
    path = f"/api/v1.0/feed/user/1/?api_key={EMBEDDED_API_KEY}".encode()
    for kind, body, length in RAW_BODIES:
        head = signed + b"Content-Type: application/json" + kind + b"\r\n" + length + b"\r\n\r\n"
        told(server, b"POST " + path + close + head + body)
