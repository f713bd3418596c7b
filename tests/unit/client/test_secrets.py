"""Neither the secret nor a token shows up where somebody may read it."""

from __future__ import annotations

import logging
import pickle
import traceback

import pytest

import django_stream.client as stream
from django_stream.client import NO_RETRIES, Endpoints, HttpTransport, StreamClient
from django_stream.client.exceptions import StreamException, ValidationError
from django_stream.client.tokens import Tokens
from django_stream.protocol.messages import ApiRequest
from tests.unit.client.requests_seen import KEY, SECRET
from tests.unit.client.scripted_server import Behaviour, ScriptedServer, answer, hang_up, truncated

# Every token begins with the same encoded header.
TOKEN = "eyJ"
FAULTS = {
    "hang up": hang_up,
    "truncated": truncated,
    "html": answer(500, b"<h1>"),
    "refused": answer(403, b'{"detail": "no", "code": 17}'),
    "not json": answer(200, b"ok"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_errors_and_logs_of_a_failed_call_hold_no_secret(name: str, caplog: pytest.LogCaptureFixture) -> None:
    fault: Behaviour = FAULTS[name]
    with ScriptedServer([fault]) as server, caplog.at_level(logging.DEBUG):
        transport = HttpTransport(Endpoints(base_url=server.url), retry=NO_RETRIES)
        client = StreamClient(KEY, SECRET, transport=transport)
        with pytest.raises(StreamException) as raised:
            client.feed("user", "1").get()

    shown = [str(raised.value), repr(raised.value), repr(raised.value.args), caplog.text]
    shown += traceback.format_exception(raised.value)
    shown += [repr(vars(raised.value))]
    for text in shown:
        assert SECRET not in text
        assert TOKEN not in text


def test_logs_of_a_good_call_name_it_without_its_token(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedServer([answer(X_Request_Id="abc")]) as server, caplog.at_level(logging.DEBUG):
        StreamClient(KEY, SECRET, base_url=server.url).feed("user", "1").get()

    assert "GET feed/user/1/ answered 200 (request id abc)" in caplog.messages
    assert TOKEN not in caplog.text


def test_no_repr_holds_the_secret_or_a_token() -> None:
    client = stream.connect(KEY, SECRET, environ={})
    feed = client.feed("user", "1")
    request = ApiRequest("GET", "feed/user/1/", KEY, feed.token)

    parts = [client, feed, client.api, client.api.tokens, client.reactions, client.aio, client.endpoints]
    for part in [*parts, client.api.transport, request, vars(client)]:
        assert SECRET not in repr(part)
        assert TOKEN not in repr(part)


def test_a_token_without_a_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="no API secret"):
        Tokens("").scope("feed", "read")


def test_results_travel_between_processes() -> None:
    with ScriptedServer([answer(X_Request_Id="abc")]) as server:
        page = StreamClient(KEY, SECRET, base_url=server.url).feed("user", "1").get()

    copy = pickle.loads(pickle.dumps(page))
    assert copy == page == {"results": []}
    assert stream.meta(copy).request_id == "abc"


def test_meta_is_for_results_only() -> None:
    with pytest.raises(TypeError, match="not dict"):
        stream.meta({})
    assert stream.ResponseMeta(200, {"X-RateLimit-Limit": "many"}).rate_limit is None
