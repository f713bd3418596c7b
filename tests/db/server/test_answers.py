"""Every answer below the API's address is the envelope, whatever is wrong with a request."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server.content import VALUES_MAX
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


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("reaction/", {"kind": "like", "user_id": "bob", "activity_id": "x" * 100_000}),
        ("reaction/", {"kind": "like", "user_id": "bob", "activity_id": [["x"] * 10_000] * 10}),
        ("feed/user/1/", {"actor": "a", "verb": "v", "object": "o", "time": "x" * 100_000}),
        ("activity/", {"id": "x", "set": {"id." + "x" * 100_000: 1}}),
        ("activity/", {"id": "x", "y" * 100_000: 1}),
        ("user/", {"id": "bob", "data": {"z" * 100_000: 10**400}}),
    ],
    ids=["text", "lists", "time", "path", "name", "number"],
)
def test_a_refusal_is_short_whatever_was_sent(path: str, body: Any) -> None:
    answer = Api().call("POST", path, body)
    assert answer.status == 400
    assert len(json.dumps(answer.body, ensure_ascii=False)) < 4_000


@pytest.mark.parametrize("half", ["\ud800", "x\udfff", "a\0b"])
def test_what_no_database_takes_is_refused_in_paths_and_queries(half: str) -> None:
    for method, path, query in (
        ("GET", f"user/{half}/", {}),
        ("GET", "users/", {"ids": half}),
        ("GET", "activities/", {"foreign_ids": half, "timestamps": "2026-01-01"}),
        ("DELETE", f"feed/user/1/{half}/", {"foreign_id": "true"}),
        ("GET", "feed/user/1/", {"ranking": "a", "session": half}),
    ):
        assert Api().refused(method, path, **query) == (400, 4)


@pytest.mark.parametrize("path", ["%0a", "feed/user/1/%0d%0a/", "a%0ab/%0a", "%ff", "%e2%80%a8", "..", "//"])
def test_a_path_that_nobody_has(client: Client, path: str) -> None:
    assert told(client.get(f"{ROOT}{path}", headers=SIGNED)) in [(404, 16), (405, 17)]


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


@pytest.mark.parametrize("token", ["none", "server"])
@pytest.mark.parametrize("value", ["0", "[]", "{}", '""', "[[]]", '{"a":{}}'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_body_has_so_many_values(client: Client, value: str, encoding: str, token: str) -> None:
    path = f"{ROOT}feed/user/1/?api_key={EMBEDDED_API_KEY}"
    body = f"[{','.join([value] * (VALUES_MAX + 1))}]".encode(encoding)
    headers = SIGNED if token == "server" else {}
    answer = client.generic("POST", path, body, content_type="application/json", headers=headers)
    assert told(answer) == (413, 18)


def test_readable_answers_are_as_long_as_people_read(client: Client) -> None:
    deep: Any = [0] * 300
    for _ in range(40):
        deep = [deep]
    activities = [{"actor": "a", "verb": "v", "object": "o", "deep": deep} for _ in range(100)]
    path = f"{ROOT}feed/user/1/?api_key={EMBEDDED_API_KEY}&limit=100"
    client.post(path, {"activities": activities}, content_type="application/json", headers=SIGNED)
    headers = {**SIGNED, "X-Pretty-Json": "1"}
    assert len(client.get(path, headers=headers).content) < 200_000
    assert b"\n  " in client.get(path.replace("=100", "=1"), headers=headers).content


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


@pytest.mark.parametrize("host", ["a b", "évil", "a:b:c", "other.example"])
@pytest.mark.parametrize("path", ["", "feed/user/1/", "streams", "nowhere/at/all"])
def test_what_a_middleware_refuses_is_the_envelope(
    client: Client, settings: Any, host: str, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware", *settings.MIDDLEWARE]
    settings.SECURE_SSL_REDIRECT = True
    client.raise_request_exception = False
    answer = client.get(f"{ROOT}{path}", headers={"host": host})
    assert answer.status_code == 400
    if path == "streams":
        assert answer.json()["meta"]["code"] == 400
    else:
        assert told(answer) == (400, 4)
    assert client.get("/admin/", headers={"host": host})["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", ["media/abc/x.png", "schema/"])
def test_what_is_only_read_refuses_other_methods_by_the_envelope(
    path: str, method: str, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.csrf.CsrfViewMiddleware"]
    answer = Client(enforce_csrf_checks=True).generic(method, f"{ROOT}{path}")
    assert told(answer) == (405, 17)
    assert answer["Allow"] == "GET, HEAD"
    assert Client().options(f"{ROOT}{path}")["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", ["health/", "ready/"])
def test_probes_answer_by_any_method(path: str, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.csrf.CsrfViewMiddleware"]
    assert Client(enforce_csrf_checks=True).post(f"{ROOT}{path}").json()["status"] == "ok"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_the_channel_of_a_stream_refuses_them_in_its_own_form(method: str, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.csrf.CsrfViewMiddleware"]
    answer = Client(enforce_csrf_checks=True).generic(method, f"{ROOT}channel/1/abc")
    assert (answer.status_code, answer.json()["meta"]["error_slug"]) == (405, "method-not-allowed")
    assert Client().options(f"{ROOT}channel/1/abc")["Access-Control-Allow-Methods"]
