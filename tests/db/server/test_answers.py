"""Every answer below the API's address is the envelope, whatever is wrong with a request."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server.models import ApiKey, Application
from tests.contract.calling import Api, token

pytestmark = pytest.mark.django_db

ROOT = "/api/v1.0/"
SIGNED = {"Authorization": token(), "Stream-Auth-Type": "jwt"}


def told(answer: Any) -> tuple[int, int]:
    body = answer.json()
    assert body["status_code"] == answer.status_code
    assert body["detail"]
    assert body["duration"].endswith("ms")
    return answer.status_code, body["code"]


@pytest.mark.parametrize("key", ["%00", "a%00b", "%ff", "%0d%0a", "%F0%9F%98%80", "x" * 3000])
def test_a_key_that_nobody_has_is_unknown(client: Client, key: str) -> None:
    assert told(client.get(f"{ROOT}feed/user/1/?api_key={key}")) == (401, 2)


def test_a_body_may_be_as_large_as_our_own_setting_says(client: Client, settings: Any) -> None:
    path = f"{ROOT}feed/user/1/?api_key={EMBEDDED_API_KEY}"
    activity = {"actor": "a", "verb": "v", "object": "o", "text": "x" * 90}
    body = json.dumps({"activities": [activity]})
    three_megabytes = body + " " * 3 * 1024 * 1024
    answer = client.post(path, three_megabytes, content_type="application/json", headers=SIGNED)
    assert answer.status_code == 201

    settings.STREAM_SERVER_BODY_BYTES_MAX = len(body)
    assert client.post(path, body, content_type="application/json", headers=SIGNED).status_code == 201
    assert told(client.post(path, body + " ", content_type="application/json", headers=SIGNED)) == (413, 18)


def test_more_parameters_than_django_reads(client: Client) -> None:
    query = "&".join(f"a{number}=1" for number in range(1100))
    assert told(client.get(f"{ROOT}feed/user/1/?api_key={EMBEDDED_API_KEY}&{query}", headers=SIGNED)) == (
        400,
        4,
    )


@pytest.mark.parametrize("charset", ["hex", "rot13", "zip", "none", "utf-8\x00", "idna"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/json", "text/plain"])
def test_a_charset_that_is_none(client: Client, charset: str, kind: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--x--\r\n'
    answer = client.generic(
        "POST",
        f"{ROOT}files/?api_key={EMBEDDED_API_KEY}&a=%ff",
        body,
        content_type=f"{kind}; charset={charset}",
        headers=SIGNED,
    )
    assert answer.status_code in (201, 400)
    assert "duration" in answer.json()


@pytest.mark.parametrize("host", ["evil.example.com", "a b", "", "[::1"])
def test_a_host_that_is_not_ours(client: Client, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = client.get(f"{ROOT}feed/user/1/?api_key={EMBEDDED_API_KEY}", headers={**SIGNED, "Host": host})
    assert told(answer) == (400, 4)


@pytest.mark.parametrize("path", ["feed/user/1/\r\nevil", "\x1b[31mred", "a\nb"])
def test_logs_hold_no_line_of_a_stranger(
    path: str, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    from django_stream.server import dispatch

    def fail(*_: Any) -> Any:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(dispatch, "find_route", fail)
    with caplog.at_level(logging.ERROR):
        assert Api().refused("GET", path)[0] == 500
    (record,) = caplog.records
    assert not {"\r", "\n", "\x1b"} & set(record.getMessage())


def test_a_cache_that_is_down_refuses_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise ConnectionError("no cache today")

    for name in ("add", "incr", "get", "set"):
        monkeypatch.setattr(LocMemCache, name, down)
    key = ApiKey.objects.create(application=Application.objects.create())
    other = Api(api_key=key.key, secret=key.secret())

    other.post("user:1")

    assert len(other.page("user:1")) == 1
    assert caplog.text.count("no cache today") == 2
