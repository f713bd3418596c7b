"""Subscriptions at `/faye`: whatever a stranger sends is answered, and costs little."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import pickle
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from django_stream.protocol.credentials import EMBEDDED_API_KEY, FAYE_SCOPE_KEY
from django_stream.server.models import ApiKey, Application
from django_stream.server.streams import bayeux, feed_listeners, hub, sessions
from django_stream.server.streams.admission import Admission
from django_stream.server.streams.readers import Reader
from django_stream.server.streams.subscriptions import Subscription, feeds_of
from django_stream.server.views import connections, faye
from tests.contract.calling import Api, token, user_token

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Django never closes a connection to a database in memory, such as those of the threads here.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HANDSHAKE = {"channel": "/meta/handshake"}
Messages = list[dict[str, Any]]
Story = Callable[[], Awaitable[Any]]


@pytest.fixture(autouse=True)
def quick(streams: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STREAM_SERVER_STREAMS_POLL_SECONDS = 0.05
    monkeypatch.setattr(bayeux, "HOLD_SECONDS", 0.2)
    monkeypatch.setattr(hub, "_IDLE_SECONDS", 0.0)


def told(story: Story) -> Any:
    """The result of a story in an event loop of its own; other threads have its database connections."""
    ours = ("django_stream.streams", "django_stream.wakeups")  # the one that wakes Celery's workers stays

    def threads() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name.startswith(ours)]

    async def run() -> Any:
        try:
            return await story()
        finally:
            for session in list(sessions.clients().by_id.values()):
                session.close()
            async with asyncio.timeout(30):
                while threads():
                    await asyncio.sleep(0.01)

    try:
        return asyncio.run(run())
    finally:
        gc.collect()  # here, where it is known what is left behind, and not in somebody else's test


async def post(body: Any, kind: str = "application/json", query: str = "") -> tuple[int, bytes]:
    """One request of a client that polls."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"body": body if isinstance(body, bytes) else json.dumps(body).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", kind.encode())]
    scope = {"method": "POST", "headers": headers, "query_string": query.encode()}
    await faye.http(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def say(body: Any) -> Messages:
    status, text = await post(body)
    assert status == 200, text
    return list(json.loads(text))


async def client() -> str:
    return str((await say(HANDSHAKE))[0]["clientId"])


def subscription(client_id: str, *feeds: str, user: str = "eve", key: ApiKey | None = None) -> dict[str, Any]:
    ext, site = {"api_key": EMBEDDED_API_KEY, "signature": user_token(user)}, 1
    if key is not None:
        ext, site = {"api_key": key.key, "signature": token(secret=key.secret())}, key.application_id
    channels = [f"/site-{site}-feed-{feed.replace(':', '')}" for feed in feeds]
    return {"channel": "/meta/subscribe", "clientId": client_id, "subscription": channels, "ext": ext}


STRANGE = ["\ud800", "\0", "é", [], {}, {"a": [1]}, 7, 0.5, None, True, "x" * 9000, 2**70]


@pytest.mark.parametrize(
    "field", ["channel", "clientId", "id", "advice", "subscription", "ext", "api_key", "signature", "timeout"]
)
def test_strange_values_are_answered(field: str) -> None:
    async def story() -> None:
        channels = ("handshake", "connect", "subscribe", "unsubscribe", "disconnect")
        for channel, value in itertools.product(channels, STRANGE):
            message = {**subscription(await client(), "user:a"), "channel": f"/meta/{channel}"}
            if field in ("api_key", "signature"):
                message["ext"][field] = value
            elif field == "timeout":
                message["advice"] = {"timeout": value}
            else:
                message[field] = value
            status, text = await post(message)
            assert status in (200, 400)
            assert b"the server failed" not in text

    told(story)


@pytest.mark.parametrize(
    ("body", "kind", "query"),
    [
        (b"", "application/json", ""),
        (b"a=b", "application/x-www-form-urlencoded", ""),
        (b"message=", "application/x-www-form-urlencoded", ""),
        (b"\xff", "application/x-www-form-urlencoded", ""),
        (b"\xff", "application/json", ""),
        (b'{"channel":"/meta/handshake","id":' + b"[" * 700 + b"]" * 700 + b"}", "application/json", ""),
        (b"[" * 100_000, "application/json", ""),
        (b"9" * 5000, "application/json", ""),
        (b"[1]", "application/json", ""),
        (json.dumps([HANDSHAKE] * 300).encode(), "application/json", ""),
        (b"", "application/json", "message=x"),
        (b"x" * 300_000, "application/json", ""),
    ],
)
def test_what_is_no_list_of_messages_is_refused(body: bytes, kind: str, query: str) -> None:
    assert told(lambda: post(body, kind, query))[0] == 400


def test_one_request_makes_one_session_and_waits_once() -> None:
    async def story() -> None:
        made = await say([HANDSHAKE] * 100)
        assert [one["successful"] for one in made] == [True] + [False] * 99
        assert made[1]["advice"]["reconnect"] == "handshake"
        started = asyncio.get_running_loop().time()
        await say([{"channel": "/meta/connect", "clientId": made[0]["clientId"]}] * 100)
        assert asyncio.get_running_loop().time() - started < 10 * bayeux.HOLD_SECONDS

    told(story)


@pytest.mark.parametrize("is_on", [True, False])
def test_pages_are_told_where_to_listen_while_something_is_logged(settings: Any, is_on: bool) -> None:
    settings.STREAM_SERVER_STREAMS = is_on
    found: list[Any] = []

    async def django(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope.get(FAYE_SCOPE_KEY))

    for kind in ("http", "lifespan"):
        asyncio.run(connections.beside(django)({"type": kind, "path": "/"}, None, None))  # type: ignore[arg-type]
    assert found == ["/faye" if is_on else None, None]


def test_strangers_make_room_for_those_who_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_SESSIONS_MAX", 3)
    monkeypatch.setattr(sessions, "_IDLE_MAX", 2)

    async def story() -> None:
        listening = [await client() for _ in range(2)]
        for one in listening:
            assert (await say(subscription(one, "user:a")))[0]["successful"]
        strangers = [await client() for _ in range(5)]
        assert set(sessions.clients().by_id) == {*listening, *strangers[-2:]}
        assert (await say(subscription(strangers[-1], "user:a")))[0]["successful"]
        (refused,) = await say(subscription(await client(), "user:a"))
        assert refused["error"].startswith("429:")

    told(story)


def test_a_reader_of_a_stream_makes_room_for_one_of_another_application(settings: Any) -> None:
    settings.STREAM_SERVER_STREAMS_READERS_MAX = 3

    async def story() -> None:
        one = hub.Hub(asyncio.get_running_loop())
        readers = [Reader(Admission(Subscription(n, 1, ("activity",)), "", 0)) for n in (1, 1, 2)]
        other = Reader(Admission(Subscription(3, 77, ("activity",)), "", 0))
        listening = Reader(Admission(feeds_of(1), "", 0))
        everybody = [*readers, listening, other]
        for reader in everybody:
            one.join(reader)
        assert [reader.has_end for reader in everybody] == [False, False, True, False, False]
        for reader in everybody:
            one.leave(reader)

    told(story)


def test_one_user_has_so_many_clients_and_others_have_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_PER_USER_MAX", 2)

    async def story() -> None:
        mine = [await client() for _ in range(3)]
        told = [(await say(subscription(one, "user:a", user="eve")))[0]["successful"] for one in mine]
        assert told == [True, True, False]
        assert (await say(subscription(await client(), "user:a", user="ann")))[0]["successful"]
        await say([{"channel": "/meta/disconnect", "clientId": mine[0]}])
        assert (await say(subscription(mine[2], "user:a", user="eve")))[0]["successful"]

    told(story)


def test_who_has_most_places_makes_room_for_another_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_SESSIONS_MAX", 3)
    other = ApiKey.objects.create(application=Application.objects.create(id=77))

    async def story() -> None:
        many = [await client() for _ in range(3)]
        for one in many:
            assert (await say(subscription(one, "user:a")))[0]["successful"]
        newcomer = await client()
        assert (await say(subscription(newcomer, "user:a", key=other)))[0]["successful"]
        assert set(sessions.clients().by_id) == {*many[:2], newcomer}
        second = await client()
        assert not (await say(subscription(second, "user:a", key=other)))[0]["successful"]

    told(story)


def test_a_client_listens_to_so_many_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CHANNELS_MAX", 3)

    async def story() -> None:
        one = await client()
        assert (await say(subscription(one, "user:a", "user:b", "user:c")))[0]["successful"]
        assert (await say(subscription(one, "user:a")))[0]["successful"]
        (refused,) = await say(subscription(one, "user:d"))
        assert refused["error"].startswith("400:")

    told(story)


def test_a_token_that_is_valid_no_more_ends_the_session(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        one = await client()
        assert (await say(subscription(one, "user:a")))[0]["successful"]
        settings.STREAM_API_SECRET = "another" * 10
        assert (await say({"channel": "/meta/connect", "clientId": one}))[0]["successful"]
        monkeypatch.setattr(sessions, "_CHECK_AGAIN_SECONDS", 0.0)
        for channel in ("connect", "subscribe", "unsubscribe"):
            (answer,) = await say({"channel": f"/meta/{channel}", "clientId": one})
            assert answer["error"].startswith("401:")
            assert answer["advice"]["reconnect"] == "handshake"

    told(story)


def test_followers_are_found_among_many_listeners_and_a_failure_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_listeners, "_AT_ONCE", 2)
    found = feed_listeners.followers_among
    failures = [1]

    def followers(*args: Any) -> list[str]:
        if failures:
            failures.pop()
            raise RuntimeError("the database is away")
        return found(*args)

    monkeypatch.setattr(feed_listeners, "followers_among", followers)
    names = [f"user:{number}" for number in range(7)]
    for name in names[1:6]:
        Api().ok("POST", f"feed/{name.replace(':', '/')}/follows/", {"target": "user:0"})

    def write(text: str) -> None:
        Api().ok("POST", "feed/user/0/", {"actor": "a", "verb": "v", "object": text})

    async def story() -> None:
        one = await client()
        assert (await say(subscription(one, *names[1:])))[0]["successful"]
        await hub.run(write, "lost")
        while failures:
            await asyncio.sleep(0.02)
        await hub.run(write, "found")
        heard: set[str] = set()
        async with asyncio.timeout(20):
            while len(heard) < 5:
                answers = await say({"channel": "/meta/connect", "clientId": one})
                heard |= {answer["data"]["feed"] for answer in answers if "data" in answer}
        assert heard == set(names[1:6])

    told(story)


def test_a_socket_that_asks_without_end_is_closed() -> None:
    async def story() -> list[Any]:
        sent: list[Any] = []
        ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        client_id = await client()
        asked = iter(range(1000))

        async def receive() -> Any:
            await asyncio.sleep(0)
            if next(asked, None) is None:
                return {"type": "websocket.disconnect"}
            message = {"channel": "/meta/connect", "clientId": client_id}
            return {"type": "websocket.receive", "text": json.dumps(message)}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "websocket.send":
                await ends  # a reader that takes nothing

        await faye.websocket({"type": "websocket"}, receive, send)
        return sent

    sent = told(story)
    assert sent[-1] == {"type": "websocket.close", "code": 1008}
    assert len(sent) < 50


def test_nobody_subscribes_where_nothing_is_logged(settings: Any) -> None:
    settings.STREAM_SERVER_STREAMS = False

    async def story() -> Messages:
        return await say(subscription(await client(), "user:a"))

    assert told(story)[0]["error"].startswith("403:")


def test_what_waits_for_a_client_has_a_limit_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand changes may wait, and each may be large: whoever does not fetch them begins anew."""
    monkeypatch.setattr(sessions, "_QUEUE_BYTES_MAX", 5_000)

    def write(text: str) -> None:
        Api().ok("POST", "feed/user/eve/", {"actor": "a", "verb": "v", "object": "o", "text": text})

    async def story() -> None:
        slow, quick = await client(), await client()
        for one in (slow, quick):
            assert (await say(subscription(one, "user:eve")))[0]["successful"]
        for _ in range(3):
            await asyncio.to_thread(write, "x" * 3_000)
            found: Messages = []
            while len(found) < 2:
                found = await say({"channel": "/meta/connect", "clientId": quick})
        assert found[-1]["data"]["new"][0]["text"] == "x" * 3_000
        (answer,) = await say({"channel": "/meta/connect", "clientId": slow})
        assert answer["advice"]["reconnect"] == "handshake"

    told(story)


def test_a_token_that_opens_many_feeds_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    async def authorize(channel: str, ext: Any) -> sessions.Listened:
        checked.append(channel)
        return await faye.authorize(channel, ext)

    async def story() -> None:
        monkeypatch.setattr(sessions, "_CHECK_AGAIN_SECONDS", 0.0)
        names = [f"notification:{one}" for one in ("eve",)] + [f"user:{number}" for number in range(20)]
        one = await client()
        assert (await say(subscription(one, *names)))[0]["successful"]
        await sessions.clients().by_id[one].check(authorize)
        assert len(checked) == 1

    told(story)


def test_a_client_keeps_no_more_than_what_opened_its_feeds() -> None:
    async def story() -> None:
        one = await client()
        message = subscription(one, "user:eve", "user:bob")
        message["ext"] |= {"junk": "x" * 100_000, "more": [["y" * 1000]] * 50}
        assert (await say(message))[0]["successful"]
        (long,) = await say(subscription(one, f"user:{'x' * 256}"))
        assert (long["successful"], long["error"].partition(":")[0]) == (False, "400")
        assert (await say(subscription(one, f"user:{'x' * 255}")))[0]["successful"]
        kept = pickle.dumps([vars(sessions.clients().by_id[one])[name] for name in ("_channels", "_proofs")])
        assert len(kept) < 3_000

    told(story)


def test_a_socket_that_opens_no_feed_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers may connect, too: who does not show a token goes, however much is said."""
    monkeypatch.setattr(faye, "IDLE_SECONDS", 1.0)

    async def story(talks: bool, listens: bool) -> tuple[list[Any], float]:
        sent: list[Any] = []
        client_id = await client()
        loop = asyncio.get_running_loop()
        started = loop.time()
        said = [subscription(client_id, "user:eve")] if listens else []

        async def receive() -> Any:
            if loop.time() - started > 3:
                return {"type": "websocket.disconnect"}
            await asyncio.sleep(0.1 if talks else 9)
            message = said.pop() if said else {"channel": "/meta/connect", "clientId": client_id}
            return {"type": "websocket.receive", "text": json.dumps({**message, "advice": {"timeout": 0}})}

        async def send(message: Any) -> None:
            sent.append(message)

        await faye.websocket({"type": "websocket"}, _first(receive), send)
        return sent, loop.time() - started

    for talks in (True, False):
        sent, seconds = told(lambda talks=talks: story(talks, listens=False))
        assert sent[-1] == {"type": "websocket.close", "code": 1001}
        assert seconds < 3
    sent, seconds = told(lambda: story(talks=True, listens=True))
    assert sent[-1]["type"] == "websocket.send"
    assert seconds > 3


def _first(receive: Any) -> Any:
    """Connects at once, whatever it does then."""
    begun: list[bool] = []

    async def answer() -> Any:
        if not begun:
            begun.append(True)
            return {"type": "websocket.connect"}
        return await receive()

    return answer


def test_a_client_that_asks_again_waits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayeux, "HOLD_SECONDS", 20)

    async def story() -> None:
        message = {"channel": "/meta/connect", "clientId": await client()}
        waiting = [asyncio.create_task(say(message)) for _ in range(50)]
        done, still = await asyncio.wait(waiting, timeout=5)
        assert (len(done), len(still)) == (49, 1)
        for one in still:
            one.cancel()

    told(story)


def test_one_request_opens_so_many_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayeux, "CHANNELS_MAX", 3)
    asked: list[str] = []

    async def authorize(channel: str, ext: Any) -> sessions.Listened:
        asked.append(channel)
        return await faye.authorize(channel, ext)

    async def story() -> None:
        one = await client()
        answers = await bayeux.answer([subscription(one, "user:a", "user:b")] * 5, authorize)
        assert [answer["successful"] for answer in answers] == [True] + [False] * 4
        assert len(asked) == 2

    told(story)
