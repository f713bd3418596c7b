"""The asynchronous view: the same requests, awaited, and a loop that goes on."""

from __future__ import annotations

import asyncio
import inspect
import re
import threading
from typing import Any

import pytest
import responses

import django_stream.client as stream
from django_stream.client import AsyncView, StreamClient
from django_stream.client.exceptions import DoesNotExistException
from tests.unit.client.requests_seen import API, KEY, SECRET, seen
from tests.unit.client.scripted_server import ScriptedServer, answer
from tests.unit.client.test_recording import CALLS, record


def test_every_call_is_awaitable_and_sends_the_same_request() -> None:
    client = stream.connect(KEY, SECRET, environ={})
    differing = [
        name
        for name, (call, _) in CALLS.items()
        if record(lambda view, call=call: _awaited(call(view)), client.aio) != record(call, client)
    ]

    assert differing == []


def _awaited(answer: Any) -> Any:
    assert inspect.isawaitable(answer), answer
    return asyncio.run(_finish(answer))


async def _finish(answer: Any) -> Any:
    return await answer


def test_what_sends_nothing_answers_at_once(client: StreamClient) -> None:
    view = client.aio
    feed = view.feed("user", "1")

    assert view.create_user_token("bob") == client.create_user_token("bob")
    assert view.users.create_reference("bob") == "SU:bob"
    assert (feed.id, feed.token) == ("user:1", client.feed("user", "1").token)
    assert feed.get_readonly_token() == client.feed("user", "1").get_readonly_token()
    assert isinstance(view.as_user("bob").feed("user", "bob"), AsyncView)
    assert isinstance(feed.client, AsyncView)
    assert repr(view) == f"AsyncView({client!r})"


def test_every_name_that_answers_at_once_exists() -> None:
    client = StreamClient(KEY, SECRET)
    parts: list[Any] = [client, client.feed("user", "1"), client.reactions, client.users, client.collections]

    for part in parts:
        for name in part.local_methods:
            assert callable(getattr(part, name)), name


def test_the_loop_goes_on_while_a_call_waits() -> None:
    released = threading.Event()

    def wait(connection: Any) -> None:
        assert released.wait(30)
        answer()(connection)

    async def main() -> Any:
        async with StreamClient(KEY, SECRET, base_url=server.url, timeout=30).aio as client:
            reading = asyncio.create_task(_finish(client.feed("user", "1").get()))
            await asyncio.sleep(0)
            # Only a loop that is not blocked gets here before the answer.
            released.set()
            return await reading

    with ScriptedServer([wait]) as server:
        assert asyncio.run(main()) == {"results": []}


def test_errors_arrive_at_the_await(client: StreamClient, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", f"{API}user/bob/", json={"detail": "gone", "code": 16}, status=404)

    with pytest.raises(DoesNotExistException, match="gone"):
        asyncio.run(_finish(client.aio.users.get("bob")))


def test_calls_can_run_as_the_site_wishes(client: StreamClient, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", re.compile(".*"), json={"results": []})
    ran: list[str] = []

    async def here(function: Any, *args: Any, **kwargs: Any) -> Any:
        ran.append(function.__name__)
        return function(*args, **kwargs)

    asyncio.run(_finish(AsyncView(client, here).feed("user", "1").get(limit=3)))

    assert ran == ["get"]
    assert seen(mocked.calls[0].request).query["limit"] == ["3"]
