"""Events without an open connection: page by page, and as one batch where responses cannot stay open."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from django_stream.backends import get_client
from django_stream.client.exceptions import DoesNotExistException, EventsMissing
from django_stream.server.models import StreamEvent, StreamLog
from tests.contract.calling import Api
from tests.contract.streams.calling import made, ok, refused, send

pytestmark = pytest.mark.django_db


def post(*numbers: int) -> None:
    for number in numbers:
        Api().post("user:ann", object=str(number))


def objects(data: list[Any]) -> list[str]:
    return [one["data"]["object"] for one in data]


def prune_up_to(position: int) -> None:
    StreamEvent.objects.filter(position__lte=position).delete()
    StreamLog.objects.update(pruned=position)


def test_pages_follow_the_cursor_which_acknowledges():
    stream = made(key="one")
    post(1, 2)
    first = send("GET", "streams/one/events").json()
    assert objects(first["data"]) == ["1", "2"]
    assert first["meta"] == {"code": 200, "last_event_id": "2", "more": False}
    assert objects(ok("GET", "streams/one/events")) == ["1", "2"]
    assert ok("GET", "streams/one/events?last_event_id=2") == []
    assert ok("GET", "streams/one/events") == []
    post(3)
    assert objects(ok("GET", f"streams/{stream['id']}/events?last_event_id=1")) == ["2", "3"]


def test_a_cursor_that_is_too_old_or_unknown_is_refused():
    made(key="one")
    post(1, 2, 3)
    ok("GET", "streams/one/events")
    prune_up_to(2)
    assert refused("GET", "streams/one/events?last_event_id=1") == (400, "event-id-too-old")
    assert refused("GET", "streams/one/events?last_event_id=4") == (400, "event-id-unknown")
    assert refused("GET", "streams/one/events?last_event_id=x") == (400, "event-id-unknown")
    answer = send("GET", "streams/one/events").json()
    assert answer["meta"]["gap"] == {"after": "0", "until": "2"}
    assert objects(answer["data"]) == ["3"]


def test_under_wsgi_a_connection_is_one_batch():
    path = urlsplit(made()["endpoint"]).path
    post(1, 2)
    response = Client().get(path)
    assert response["Content-Type"].startswith("application/x-ndjson")
    assert objects([json.loads(line) for line in response.content.split()]) == ["1", "2"]
    assert Client().get(path).content.strip() == b""
    post(3)
    again = Client().get(path, HTTP_ACCEPT="text/event-stream", HTTP_LAST_EVENT_ID="1")
    assert again["Content-Type"].startswith("text/event-stream")
    assert again.content.startswith(b"retry: ")
    assert [line for line in again.content.splitlines() if line[:3] == b"id:"] == [b"id: 2", b"id: 3"]


def test_under_wsgi_refusals_and_auto_delete_are_the_same():
    path = urlsplit(made()["endpoint"]).path
    response = Client().get(f"{path}x")
    assert (response.status_code, response.json()["meta"]["error_slug"]) == (401, "invalid-token")
    assert Client().post(path).status_code == 405
    Client().get(path, {"auto_delete": "1"})
    assert ok("GET", "streams") == []


def test_the_client_makes_streams_and_listens_inside_the_process():
    client = get_client()
    chosen = client.streams.create_filter(
        [{"object_type": "post", "field": "/data/object", "operator": "one_of", "value": ["1", "3"]}],
        "include_any",
    )
    stream = client.streams.ensure("bot", ["post"], filter_id=chosen["id"])
    assert client.streams.ensure("bot", ["post"], filter_id=chosen["id"]) == stream
    post(1, 2, 3)
    events = client.streams.listen("bot")
    first, second = next(events), next(events)
    assert [first.data["object"], second.data["object"]] == ["1", "3"]
    assert (first.type, first.op, first.is_deleted) == ("post", "create", False)
    assert next(client.streams.listen("bot", last_event_id=first.event_id)) == second
    assert client.streams.status("bot")["sent"] == 3
    client.streams.update("bot", ["post", "user"], key="bot")
    assert [one["key"] for one in client.streams.all()] == ["bot"]
    assert client.streams.delete("bot")["is_deleted"]
    client.streams.delete_filter(chosen["id"])
    with pytest.raises(DoesNotExistException, match="there is no stream 'bot'"):
        client.streams.get("bot")


def test_a_consumer_learns_that_events_are_missing():
    made(key="one")
    post(1, 2, 3)
    ok("GET", "streams/one/events")
    prune_up_to(2)
    with pytest.raises(EventsMissing):
        next(get_client().streams.listen("one"))
    with pytest.raises(CommandError, match="rebuild what you derive"):
        call_command("stream_listen", "one")


SEEN: list[str] = []


def remember(event: Any) -> None:
    if event.data["object"] == "3":
        raise RuntimeError("the consumer fails")
    SEEN.append(event.data["object"])


def test_the_command_prints_calls_and_keeps_its_cursor(tmp_path):
    out = io.StringIO()
    made(key="one")
    post(1, 2, 3)
    call_command("stream_listen", "one", types="activity", count=1, stdout=out)
    assert json.loads(out.getvalue())["data"]["object"] == "1"
    cursor = tmp_path / "cursor"
    options = {"handler": f"{__name__}.remember", "cursor": cursor, "count": 9}
    with pytest.raises(RuntimeError):
        call_command("stream_listen", "one", **options)
    assert (SEEN, cursor.read_text()) == (["1", "2"], "2")
    with pytest.raises(RuntimeError):
        call_command("stream_listen", "one", **options)
    assert SEEN == ["1", "2"]


def test_the_command_says_what_is_not_there():
    with pytest.raises(CommandError, match="there is no stream 'nothing'"):
        call_command("stream_listen", "nothing")
