"""The transports: pools, forks, threads, files, and one's own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from django_stream.client import NO_RETRIES, Endpoints, HttpTransport, StreamClient, meta
from django_stream.client.exceptions import (
    ConnectionFailed,
    DoesNotExistException,
    StreamApiException,
    ValidationError,
)
from django_stream.protocol.messages import ApiRequest, ApiResponse
from tests.unit.client.requests_seen import KEY, SECRET, claims
from tests.unit.client.scripted_server import ScriptedServer, answer, hang_up

TWEET = {"actor": "1", "verb": "tweet", "object": "1"}
STORED = answer(201, b'{"file": "https://cdn.example/a.txt"}')


class Home:
    """A home of the feeds inside this process."""

    def __init__(self, status: int = 200, body: dict[str, Any] | None = None) -> None:
        self.answer = ApiResponse(status, body or {}, {"x-request-id": "inside"})
        self.requests: list[tuple[ApiRequest, float | None]] = []
        self.closed = False

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        self.requests.append((request, timeout))
        return self.answer

    def close(self) -> None:
        self.closed = True


def test_any_transport_gets_plain_values_and_its_answers_get_known_times() -> None:
    home = Home(201, {"id": "x", "time": "2018-12-21T09:45:42.455925"})
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)

    with StreamClient(KEY, SECRET, transport=home, timeout=7) as client:
        added = client.feed("user", "1").add_activity({**TWEET, "time": moment, "price": Decimal("1.50")})

    [(request, timeout)] = home.requests
    assert (request.method, request.path, request.api_key) == ("POST", "feed/user/1/", KEY)
    assert request.body == {**TWEET, "time": "2026-01-31T12:00:00.000000", "price": "1.50"}
    assert claims(request.token) == {"resource": "feed", "action": "write", "feed_id": "user1"}
    assert timeout == 7
    assert added["time"] == datetime(2018, 12, 21, 9, 45, 42, 455925, UTC)
    assert meta(added).request_id == "inside"
    assert home.closed


def test_what_is_sent_shares_nothing_with_the_caller() -> None:
    home, activity = Home(201), {**TWEET, "tags": [{"name": "a"}]}

    StreamClient(KEY, SECRET, transport=home).feed("user", "1").add_activity(activity)
    activity["tags"][0]["name"] = "b"  # type: ignore[index]

    assert home.requests[0][0].body["tags"] == [{"name": "a"}]


def test_refusals_of_any_transport_are_the_same_errors() -> None:
    client = StreamClient(KEY, SECRET, transport=Home(404, {"detail": "gone", "code": 16}))

    with pytest.raises(DoesNotExistException, match="gone") as raised:
        client.reactions.get("x")
    assert raised.value.request_id == "inside"


def test_nothing_is_sent_or_signed_by_making_clients_and_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("not in a constructor")

    monkeypatch.setattr("jwt.encode", never)
    monkeypatch.setattr("requests.Session.__init__", never)

    client = StreamClient(KEY, SECRET)
    client.feed("user", "1")
    for name in ("reactions", "users", "collections", "files", "images", "aio"):
        assert getattr(client, name)


def test_tokens_are_signed_once_per_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    import jwt

    signed: list[Any] = []
    encode = jwt.encode

    def counting(payload: Any, *args: Any, **kwargs: Any) -> str:
        signed.append(payload)
        return encode(payload, *args, **kwargs)

    monkeypatch.setattr("jwt.encode", counting)
    client = StreamClient(KEY, SECRET, transport=Home(body={"results": []}))

    for _ in range(3):
        client.feed("user", "1").get()
        client.feed("user", "2").get()
        client.users.get("bob")
    assert [payload.get("feed_id") for payload in signed] == ["user1", "user2", "*"]


def test_as_user_sends_that_user_s_token_with_everything() -> None:
    home = Home(body={"results": []})
    client = StreamClient(KEY, SECRET, "7", transport=home).as_user("bob")

    client.feed("user", "bob").get()
    client.users.get("bob")

    assert [claims(request.token) for request, _ in home.requests] == [{"user_id": "bob"}] * 2
    assert client.app_id == "7"


def test_with_timeout_changes_the_copy_only() -> None:
    home = Home(body={"results": []})
    client = StreamClient(KEY, SECRET, transport=home)

    client.with_timeout(30).feed("user", "1").get()
    client.feed("user", "1").get()

    assert [timeout for _, timeout in home.requests] == [30, 3.0]


def test_threads_share_one_client() -> None:
    def echo(connection: Any) -> None:
        answer()(connection)

    # Time enough on a busy machine: a call that is given up takes its connection with it.
    with (
        ScriptedServer([echo]) as server,
        StreamClient(KEY, SECRET, base_url=server.url, timeout=60) as client,
    ):
        with ThreadPoolExecutor(8) as threads:
            results = list(threads.map(lambda n: client.feed("user", str(n)).get(), range(200)))

        assert results == [{"results": []}] * 200
        heads = {request.head.split(b"?")[0] for request in server.received}
        assert heads == {f"GET /api/v1.0/feed/user/{n}/".encode() for n in range(200)}
        # A pool: as many connections as threads at most, not one per call.
        assert max(request.connection for request in server.received) <= 8


def test_a_forked_child_uses_connections_of_its_own() -> None:
    script = textwrap.dedent(
        f"""
        import os, sys
        from django_stream.client import StreamClient
        client = StreamClient({KEY!r}, {SECRET!r}, base_url=sys.argv[1])
        client.feed("user", "parent").get()
        if not (child := os.fork()):
            client.feed("user", "child").get()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        client.feed("user", "parent").get()
        """
    )
    with ScriptedServer([answer()]) as server:
        subprocess.run([sys.executable, "-c", script, server.url], check=True, timeout=60)

        seen = [(request.head.split(b"/")[5], request.connection) for request in server.received]
    assert seen == [(b"parent", 1), (b"child", 2), (b"parent", 1)]


def test_a_closed_client_opens_again() -> None:
    with ScriptedServer([answer()]) as server:
        client = StreamClient(KEY, SECRET, base_url=server.url)
        client.close()
        client.feed("user", "1").get()
        client.close()
        client.feed("user", "1").get()
        client.close()

        assert [request.connection for request in server.received] == [1, 2]


def test_a_session_of_one_s_own_can_be_given() -> None:
    seen: list[str] = []

    def watched() -> requests.Session:
        session = requests.Session()
        session.hooks["response"].append(lambda response, **kwargs: seen.append(response.request.method))
        return session

    with ScriptedServer([answer()]) as server:
        transport = HttpTransport(Endpoints(base_url=server.url), session_factory=watched)
        with StreamClient(KEY, SECRET, transport=transport) as client:
            client.feed("user", "1").get()

    assert seen == ["GET"]


def test_a_redirect_is_not_followed_and_gets_no_token() -> None:
    with ScriptedServer([answer()]) as elsewhere:
        away = answer(307, b"{}", Location=f"{elsewhere.url}/")
        with (
            ScriptedServer([away]) as server,
            StreamClient(KEY, SECRET, base_url=server.url) as client,
            pytest.raises(StreamApiException, match="status 307"),
        ):
            client.feed("user", "1").get()

        assert elsewhere.received == []


def test_cookies_are_not_kept() -> None:
    with (
        ScriptedServer([answer(Set_Cookie="a=b")]) as server,
        StreamClient(KEY, SECRET, base_url=server.url) as client,
    ):
        client.feed("user", "1").get()
        client.feed("user", "1").get()

        assert b"cookie" not in server.received[1].head.lower()


SOURCES = ["path", "text path", "open file", "bytes", "buffer"]


@pytest.mark.parametrize("source", SOURCES)
def test_files_are_sent_as_one_multipart_field(tmp_path: Path, source: str) -> None:
    path = tmp_path / 'na"me.txt'
    path.write_bytes(b"hello")
    with ScriptedServer([STORED]) as server, StreamClient(KEY, SECRET, base_url=server.url) as client:
        with path.open("rb") as opened:
            sources: dict[str, Any] = {
                "path": path,
                "text path": str(path),
                "open file": opened,
                "bytes": b"hello",
                "buffer": io.BytesIO(b"hello"),
            }
            stored = client.files.upload(sources[source])

        [request] = server.received
    named = "na%22me.txt" if source in SOURCES[:3] else "file"
    kind = b"text/plain" if source in SOURCES[:3] else b"application/octet-stream"
    assert stored["file"] == "https://cdn.example/a.txt"
    assert request.head.startswith(b"POST /api/v1.0/files/?api_key=the-key ")
    assert f'name="file"; filename="{named}"'.encode() in request.body
    assert b"Content-Type: " + kind + b"\r\n\r\nhello\r\n--" in request.body


def test_a_stream_without_length_is_sent_in_chunks() -> None:
    class Pipe(io.RawIOBase):
        blocks = [b"hello ", b"world"]

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return self.blocks.pop(0) if self.blocks else b""

    with ScriptedServer([STORED]) as server, StreamClient(KEY, SECRET, base_url=server.url) as client:
        client.images.upload(Pipe(), name="a.png", content_type="image/png")  # type: ignore[arg-type]

        [request] = server.received
    assert b"Transfer-Encoding: chunked" in request.head
    assert b"hello " in request.body
    assert b"world" in request.body
    assert b"Content-Type: image/png" in request.body


def test_a_large_file_is_never_whole_in_memory() -> None:
    class Large(io.RawIOBase):
        size, position = 50_000_000, 0

        def readable(self) -> bool:
            return True

        def tell(self) -> int:
            return self.position

        def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
            self.position = offset + (self.size if whence == os.SEEK_END else 0)
            return self.position

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= 1_000_000
            count = min(size, self.size - self.position)
            self.position += count
            return bytes(count)

    received = 0

    class Counting(ScriptedServer):
        def _serve(self, connection: Any, number: int) -> None:
            nonlocal received
            while not (block := connection.recv(1 << 20)).endswith(b"--\r\n"):
                received += len(block)
            received += len(block)
            STORED(connection)

    with Counting([STORED]) as server, StreamClient(KEY, SECRET, base_url=server.url) as client:
        tracemalloc.start()
        client.files.upload(Large(), name="large.bin")  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert received > 50_000_000
    assert peak < 5_000_000


def test_an_upload_that_failed_is_not_sent_again() -> None:
    with ScriptedServer([hang_up]) as server, StreamClient(KEY, SECRET, base_url=server.url) as client:
        with pytest.raises(ConnectionFailed):
            client.files.upload(b"hello", name="a.txt")

        assert len(server.received) == 1


@pytest.mark.parametrize("file", [io.StringIO("text"), 7, None], ids=["text", "number", "none"])
def test_what_is_no_binary_file_is_refused(client: StreamClient, file: Any) -> None:
    with pytest.raises(ValidationError, match="binary") as refused:
        client.files.upload(file)

    assert refused.value.field == "file"


def test_the_body_is_compact_json(client: StreamClient) -> None:
    with ScriptedServer([answer(201)]) as server:
        transport = HttpTransport(Endpoints(base_url=server.url), retry=NO_RETRIES)
        with StreamClient(KEY, SECRET, transport=transport) as sender:
            sender.feed("user", "1").add_activity({**TWEET, "text": "é\ud800"})

        body = server.received[0].body
    assert body == b'{"actor":"1","verb":"tweet","object":"1","text":"\\u00e9\\ud800"}'
    assert json.loads(body)["text"] == "é\ud800"
