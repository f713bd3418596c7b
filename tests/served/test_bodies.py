"""Bodies whose length nobody names, and files as they are sent."""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from tests.contract.calling import token, user_token
from tests.db.server.files.pictures import picture
from tests.served.conftest import Served

BOUNDARY = "0123456789"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="streamed.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
KIB = 1024


def streamed(served: Served, path: str, parts: Iterable[bytes], content_type: str, **more: Any) -> Any:
    """POST in chunks, without a Content-Length, as Node's streams are sent."""
    return requests.post(
        f"{served.url}/api/v1.0/{path}?api_key={EMBEDDED_API_KEY}",
        data=iter(parts),
        headers={"Authorization": token(), "stream-auth-type": "jwt", "Content-Type": content_type},
        timeout=60,
        **more,
    )


def upload(served: Served, path: str, parts: Iterable[bytes]) -> Any:
    return streamed(served, path, parts, f"multipart/form-data; boundary={BOUNDARY}")


def pieces(size: int) -> Iterator[bytes]:
    yield from (bytes([number % 251]) * KIB for number in range(size // KIB))


@pytest.mark.parametrize("kib", [1, 100, 2000])
def test_a_file_is_uploaded_in_chunks_and_read_back(served: Served, kib: int):
    answer = upload(served, "files/", (HEAD, *pieces(kib * KIB), TAIL))
    assert answer.status_code == 201, answer.text
    assert "/streamed.bin?" in answer.json()["file"]
    found = requests.get(answer.json()["file"], timeout=60)
    assert (found.status_code, int(found.headers["Content-Length"])) == (200, kib * KIB)
    assert found.content == b"".join(pieces(kib * KIB))


def test_an_image_is_uploaded_in_chunks(served: Served):
    content = picture()
    answer = upload(served, "images/", (HEAD, content[:50], content[50:], TAIL))
    assert answer.status_code == 201, answer.text
    found = requests.get(answer.json()["file"], timeout=60)
    assert found.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("path", ["files/", "images/"])
def test_the_limit_of_a_file_holds_without_a_length(served: Served, path: str):
    refusal = upload(served, path, (HEAD, *pieces(2100 * KIB), TAIL))
    assert (refusal.status_code, refusal.json()["code"]) == (413, 18)
    # Nor is anything taken that comes instead of it or behind it.
    for parts in (pieces(4000 * KIB), (HEAD, b"x", TAIL, *pieces(4000 * KIB))):
        assert upload(served, path, parts).status_code in (400, 413)


def test_a_form_without_a_file_is_refused(served: Served):
    answer = upload(served, "files/", (TAIL,))
    assert (answer.status_code, answer.json()["code"]) == (400, 4)


def test_json_is_read_in_chunks(served: Served):
    parts = (b'{"actor": "ann", "verb": "post", ', b'"object": "chunks"}')
    answer = streamed(served, "feed/user/chunks/", parts, "application/json")
    assert answer.status_code == 201, answer.text
    assert served.api.page("user:chunks")[0]["object"] == "chunks"
    refusal = streamed(served, "feed/user/chunks/", pieces(300 * KIB), "application/json")
    assert (refusal.status_code, refusal.json()["code"]) == (413, 18)


def test_a_reading_call_may_ask_for_the_head_alone(served: Served):
    address = urlsplit(served.url)
    made = served.api.post("user:head")
    body = served.api.call("GET", "feed/user/head/").body
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        for path, status in (("feed/user/head/", 200), ("feed/timeline/bob/", 403), ("follow_many/", 405)):
            target = f"/api/v1.0/{path}?api_key={EMBEDDED_API_KEY}"
            auth = user_token("ann") if status == 403 else token()
            connection.request("HEAD", target, headers={"Authorization": auth})
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (status, b"")
            if status == 200:
                assert int(answer.headers["Content-Length"]) >= len(made["id"]) + len(body["next"])
    finally:
        connection.close()


@pytest.mark.parametrize(
    "foreign_id", ["https://blog.example.org/p/1", "a//b/", "/", "50%2F", "é\n?#", "../.."]
)
def test_any_foreign_id_is_removed(served: Served, foreign_id: str):
    served.api.post("user:removing", foreign_id=foreign_id)
    answer = served.api.ok("DELETE", f"feed/user/removing/{foreign_id}/", foreign_id="1")
    assert answer == {"removed": foreign_id}
    assert served.api.page("user:removing") == []
