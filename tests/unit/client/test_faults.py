"""A network and a server that fail, over real sockets and with a clock of our own."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from django_stream.client import RetryPolicy, StreamClient, meta
from django_stream.client.config import Endpoints
from django_stream.client.exceptions import (
    ConnectionFailed,
    InvalidResponse,
    RateLimitReached,
    RequestTimeout,
    StreamApiException,
    TruncatedResponse,
)
from django_stream.client.http import HttpTransport
from tests.unit.client.requests_seen import KEY, SECRET
from tests.unit.client.scripted_server import (
    Behaviour,
    Clock,
    ScriptedServer,
    answer,
    dripping,
    hang_up,
    reset,
    truncated,
)

TWEET = {"actor": "1", "verb": "tweet", "object": "1"}
KNOWN = {**TWEET, "foreign_id": "tweet:1", "time": "2026-01-31T12:00:00.000000"}
BUSY = b'{"detail": "busy", "code": -1, "exception": "InternalException", "status_code": 503}'
SLOW = b'{"detail": "slow down", "code": 9, "exception": "RateLimitReached", "status_code": 429}'

Call = Callable[[StreamClient], Any]


def read(client: StreamClient) -> Any:
    return client.feed("user", "1").get()


def add(client: StreamClient) -> Any:
    return client.feed("user", "1").add_activity(TWEET)


def add_known(client: StreamClient) -> Any:
    return client.feed("user", "1").add_activity(KNOWN)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client_of(url: str, clock: Clock, *, timeout: float = 3, **policy: Any) -> StreamClient:
    transport = HttpTransport(Endpoints(base_url=url), retry=RetryPolicy(**policy), waiting=clock.waiting())
    return StreamClient(KEY, SECRET, timeout=timeout, transport=transport)


@pytest.mark.parametrize("fault", [reset, hang_up], ids=["reset", "hang up"])
@pytest.mark.parametrize("call", [read, add_known], ids=["read", "identified write"])
def test_a_broken_connection_is_tried_again_where_that_is_safe(
    clock: Clock, fault: Behaviour, call: Call
) -> None:
    with ScriptedServer([fault, fault, answer()]) as server, client_of(server.url, clock) as client:
        assert call(client) == {"results": []}

        assert len(server.received) == 3
        assert clock.slept == [0.1, 0.2]


@pytest.mark.parametrize("fault", [reset, hang_up, truncated], ids=["reset", "hang up", "truncated"])
def test_a_write_that_may_have_happened_is_not_sent_again(clock: Clock, fault: Behaviour) -> None:
    with ScriptedServer([fault, answer()]) as server, client_of(server.url, clock) as client:
        with pytest.raises((ConnectionFailed, TruncatedResponse)) as raised:
            add(client)

        assert raised.value.unsent is False
        assert len(server.received) == 1
        assert clock.slept == []


def test_a_connection_that_stays_broken_raises_after_the_last_try(clock: Clock) -> None:
    with ScriptedServer([reset]) as server, client_of(server.url, clock) as client:
        with pytest.raises(ConnectionFailed, match=r"^GET feed/user/1/: the connection broke"):
            read(client)

        assert len(server.received) == 3


def test_an_idle_connection_that_the_server_closed_is_replaced(clock: Clock) -> None:
    closed = threading.Event()

    def once(connection: socket.socket) -> None:
        answer()(connection)
        connection.close()
        closed.set()

    with ScriptedServer([once]) as server, client_of(server.url, clock) as client:
        for _ in range(3):
            add(client)
            assert closed.wait(5)
            closed.clear()

        assert [request.connection for request in server.received] == [1, 2, 3]


def test_connections_are_kept(clock: Clock) -> None:
    with ScriptedServer([answer()]) as server, client_of(server.url, clock) as client:
        for call in (read, add, read):
            call(client)

        assert [request.connection for request in server.received] == [1, 1, 1]


@pytest.mark.parametrize(
    "opening",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: "],
    ids=["body", "headers"],
)
def test_a_slow_drip_ends_with_the_timeout(clock: Clock, opening: bytes) -> None:
    with (
        ScriptedServer([dripping(clock, opening)]) as server,
        client_of(server.url, clock, retries=0) as client,
        pytest.raises(RequestTimeout, match=r"^GET feed/user/1/: no whole answer in time"),
    ):
        read(client)


def test_slow_answers_end_with_the_deadline_of_all_tries(clock: Clock) -> None:
    drip = dripping(clock, b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    with (
        ScriptedServer([drip]) as server,
        client_of(server.url, clock, retries=100, deadline=10) as client,
    ):
        with pytest.raises(RequestTimeout):
            read(client)

        # Each try takes at least three of the ten seconds.
        assert 1 <= len(server.received) <= 4


def test_silence_ends_with_the_timeout(clock: Clock) -> None:
    with (
        ScriptedServer([lambda connection: None]) as server,
        client_of(server.url, clock, timeout=0.05, retries=1) as client,
    ):
        with pytest.raises(RequestTimeout):
            read(client)

        assert len(server.received) == 2


def test_a_truncated_answer_carries_what_arrived(clock: Clock) -> None:
    with ScriptedServer([truncated]) as server, client_of(server.url, clock) as client:
        with pytest.raises(TruncatedResponse, match="broke off") as raised:
            read(client)

        assert raised.value.partial is not None
        assert raised.value.partial.status == 200
        assert raised.value.partial.content == b'{"results"'
        assert len(server.received) == 3


def test_an_answer_that_cannot_be_unpacked_is_truncated_too(clock: Clock) -> None:
    garbled = answer(body=b"not gzip", Content_Encoding="gzip")
    with (
        ScriptedServer([garbled]) as server,
        client_of(server.url, clock, retries=0) as client,
        pytest.raises(TruncatedResponse),
    ):
        read(client)


LIMITED: dict[str, tuple[dict[str, object], float]] = {
    "Retry-After in seconds": ({"Retry_After": 2}, 2 + 0.01),
    "Retry-After as a date": (
        {"Retry_After": format_datetime(datetime.fromtimestamp(1004, UTC), usegmt=True)},
        4 + 0.01,
    ),
    "Retry-After in the past": (
        {"Retry_After": format_datetime(datetime.fromtimestamp(900, UTC), usegmt=True)},
        0.01,
    ),
    "the rate limit's reset": ({"X_RateLimit_Reset": 1005}, 5 + 0.01),
    "Retry-After before the reset": ({"Retry_After": 1, "X_RateLimit_Reset": 1005}, 1 + 0.01),
    "nothing": ({}, 0.1),
    "an unreadable Retry-After": ({"Retry_After": "soon"}, 0.1),
    "an unreadable reset": ({"X_RateLimit_Reset": "soon"}, 0.1),
}


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("call", [read, add], ids=["read", "write"])
def test_a_rate_limited_call_waits_as_the_server_asks(clock: Clock, name: str, call: Call) -> None:
    headers, pause = LIMITED[name]
    with (
        ScriptedServer([answer(429, SLOW, **headers), answer()]) as server,
        client_of(server.url, clock) as client,
    ):
        assert call(client) == {"results": []}

        assert clock.slept == [pytest.approx(pause)]
        assert len(server.received) == 2


@pytest.mark.parametrize("headers", [{"Retry_After": 60}, {"X_RateLimit_Reset": 1060}], ids=str)
def test_a_wait_beyond_the_deadline_is_an_error_at_once(clock: Clock, headers: dict[str, object]) -> None:
    limits = {"X_RateLimit_Limit": 10, "X_RateLimit_Remaining": 0, "X_RateLimit_Reset": 1060}
    with (
        ScriptedServer([answer(429, SLOW, **{**limits, **headers})]) as server,
        client_of(server.url, clock) as client,
    ):
        with pytest.raises(RateLimitReached, match="slow down") as raised:
            read(client)

        assert clock.slept == []
        assert len(server.received) == 1
        assert raised.value.meta is not None
        assert raised.value.meta.rate_limit is not None
        assert raised.value.meta.rate_limit.remaining == 0


def test_another_try_is_logged_with_its_reason(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with (
        ScriptedServer([answer(503, BUSY), hang_up, answer()]) as server,
        client_of(server.url, clock) as client,
        caplog.at_level(logging.INFO, "django_stream.client"),
    ):
        read(client)

    first, second = caplog.messages
    assert first == "GET feed/user/1/ was answered with 503; again in 0.10 s"
    assert re.fullmatch(
        r"GET feed/user/1/ failed \(GET .* broke before an answer .*\); again in 0.20 s", second
    )


def test_a_sleep_that_overshoots_the_deadline_leaves_a_last_short_try(clock: Clock) -> None:
    late = replace(clock.waiting(), sleep=lambda seconds: clock.sleep(seconds + 1))
    with ScriptedServer([answer(503, BUSY), lambda connection: None]) as server:
        transport = HttpTransport(Endpoints(base_url=server.url), retry=RetryPolicy(deadline=1), waiting=late)

        with StreamClient(KEY, SECRET, transport=transport) as client, pytest.raises(RequestTimeout):
            read(client)


def test_a_storm_of_503_ends_in_the_server_s_own_error(clock: Clock) -> None:
    with ScriptedServer([answer(503, BUSY)]) as server, client_of(server.url, clock) as client:
        with pytest.raises(StreamApiException, match="busy") as raised:
            read(client)

        assert raised.value.status_code == 503
        assert len(server.received) == 3
        assert clock.slept == [0.1, 0.2]


def test_a_storm_of_503_in_html_ends_in_an_error_with_the_page(clock: Clock) -> None:
    with (
        ScriptedServer([answer(503, b"<h1>busy</h1>", Retry_After=1)]) as server,
        client_of(server.url, clock) as client,
    ):
        with pytest.raises(InvalidResponse) as raised:
            read(client)

        assert raised.value.response is not None
        assert raised.value.response.text == "<h1>busy</h1>"
        assert clock.slept == [pytest.approx(1.01), pytest.approx(1.02)]


def test_a_503_to_a_write_that_may_have_happened_is_final(clock: Clock) -> None:
    with ScriptedServer([answer(503, BUSY)]) as server, client_of(server.url, clock) as client:
        with pytest.raises(StreamApiException):
            add(client)

        assert len(server.received) == 1


def test_a_storm_that_passes_is_not_noticed(clock: Clock) -> None:
    script = [answer(503, BUSY), answer(502, b""), answer(X_Request_Id="third")]
    with ScriptedServer(script) as server, client_of(server.url, clock) as client:
        assert meta(read(client)).request_id == "third"


def test_a_500_is_not_tried_again(clock: Clock) -> None:
    with ScriptedServer([answer(500, BUSY)]) as server, client_of(server.url, clock) as client:
        with pytest.raises(StreamApiException):
            read(client)

        assert len(server.received) == 1


def test_an_unknown_host_is_an_unsent_request_and_tried_again(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    client = client_of("http://feeds.invalid", clock)

    with pytest.raises(ConnectionFailed, match=r"no connection \(NameResolutionError\)") as raised:
        add(client)

    assert raised.value.unsent is True
    assert clock.slept == [0.1, 0.2]


def test_a_refused_connection_is_an_unsent_request(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = client_of(f"http://127.0.0.1:{port}", clock)

    with pytest.raises(ConnectionFailed, match=r"^POST feed/user/1/: no connection") as raised:
        add(client)

    assert raised.value.unsent is True


def test_a_connection_that_does_not_come_about_is_a_timeout(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        # The second connection fills the queue of a listener that never accepts.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        client = client_of(f"http://127.0.0.1:{listener.getsockname()[1]}", clock, timeout=0.05, retries=0)
        with pytest.raises(RequestTimeout) as raised:
            add(client)
        for filler in fillers:
            filler.close()

    assert raised.value.unsent is True


def test_a_server_that_does_not_speak_tls_is_a_failed_connection(clock: Clock) -> None:
    class Plain(ScriptedServer):
        def _serve(self, connection: socket.socket, number: int) -> None:
            answer(400)(connection)

    with Plain([]) as server:
        client = client_of(server.url.replace("http:", "https:"), clock, retries=0)

        with pytest.raises(ConnectionFailed, match="SSLError") as raised:
            read(client)

    assert raised.value.unsent is True
