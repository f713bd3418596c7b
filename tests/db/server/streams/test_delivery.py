"""What consumers get, over every transport, from a server in a process of its own."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.contract.calling import token, user_token
from tests.db.server.streams.calling import APP
from tests.db.server.streams.consumers import ALL, Lines, Refused, ServerSent, WebSocket
from tests.extras import needs
from tests.services.processes import pause, wait_until

pytestmark = needs("streams")
every_transport = pytest.mark.parametrize("connect", ALL, ids=lambda one: one.__name__)


@every_transport
def test_events_arrive_as_they_happen_under_the_name_that_was_asked_for(servers, connect):
    server = servers()
    stream = server.stream("post")
    with connect(stream["endpoint"]) as consumer:
        server.post(1)
        first = consumer.event()
        server.post(2)
        second = consumer.event()
    assert (first["meta"]["type"], first["meta"]["op"], first["data"]["object"]) == ("post", "create", "1")
    assert first["meta"]["id"] == first["data"]["id"]
    assert abs(first["meta"]["timestamp"] - time.time() * 1000) < 60_000
    assert int(second["meta"]["event_id"]) > int(first["meta"]["event_id"])


@every_transport
def test_a_reader_resumes_after_the_event_that_it_names(servers, connect):
    server = servers()
    stream = server.stream()
    server.post_many(range(5))
    with connect(stream["endpoint"]) as consumer:
        ids = [consumer.event()["meta"]["event_id"] for _ in range(5)]
    with connect(stream["endpoint"], last_event_id=ids[1]) as consumer:
        assert consumer.begins_after == ids[1]
        assert consumer.objects(3) == ["2", "3", "4"]
    with connect(stream["endpoint"], {"Last-Event-ID": ids[3]}, last_event_id=ids[0]) as consumer:
        assert consumer.objects(1) == ["4"]
        server.post(5)
        assert consumer.objects(1) == ["5"]
    with connect(stream["endpoint"], last_event_id="0") as consumer:
        assert consumer.objects(6) == ["0", "1", "2", "3", "4", "5"]


def test_without_a_cursor_a_reader_gets_what_queued_up_meanwhile(servers):
    server = servers()
    stream = server.stream()
    with Lines(stream["endpoint"]) as consumer:
        server.post(1)
        assert consumer.objects(1) == ["1"]
    wait_until(lambda: server.status(stream)["readers"] == 0, "the reader is gone", within=20)
    server.post(2)
    with Lines(stream["endpoint"]) as consumer:
        assert consumer.objects(1) == ["2"]
    wait_until(lambda: server.status(stream)["readers"] == 0, "the reader is gone", within=20)
    server.post(3)
    with Lines(stream["endpoint"], purge="1") as consumer:
        server.post(4)
        assert consumer.objects(1) == ["4"]


@every_transport
def test_a_gap_is_told(servers, connect):
    server = servers()
    stream = server.stream()
    server.post_many(range(5))
    server.manage("stream_server_maintain", STREAMS_LOG_EVENTS_MAX=2)
    with pytest.raises(Refused, match="event-id-too-old"):
        connect(stream["endpoint"], last_event_id="2")
    with connect(stream["endpoint"]) as consumer:
        assert consumer.control() == {"code": "gap", "after": "0", "until": "3"}
        assert consumer.objects(2) == ["3", "4"]


@every_transport
def test_who_is_refused_learns_it_before_the_first_byte(servers, connect):
    server = servers()
    endpoint = server.stream(key="one")["endpoint"]
    other = server.stream()["endpoint"]
    refusals = {
        (401, "invalid-token"): (endpoint[:-1] + "x", {}),
        (404, "stream-not-found"): (endpoint.replace("/channel/", "/channel/9"), {}),
        (400, "event-id-unknown"): (endpoint, {"last_event_id": "77"}),
        (403, "app-token-required"): (endpoint, {"access_token": user_token("ann")}),
        (401, "token-expired"): (endpoint, {"access_token": token({**APP, "exp": 1_600_000_000})}),
    }
    for expected, (address, query) in refusals.items():
        with pytest.raises(Refused) as refused:
            connect(address, **query)
        assert refused.value.args == expected
    with pytest.raises(Refused, match="stream-not-found"):
        connect(endpoint, key="two")
    with pytest.raises(Refused, match="invalid-token"):
        connect(other, {"Authorization": "Bearer x"})
    connect(endpoint, {"Authorization": f"Bearer {token(APP)}"}, key="one").close()
    connect(endpoint, access_token=token(APP)).close()


@pytest.mark.parametrize("connect", [Lines, ServerSent], ids=lambda one: one.__name__)
def test_django_alone_serves_readers_over_http(servers, connect):
    server = servers(application="django")
    stream = server.stream()
    with connect(stream["endpoint"]) as consumer:
        server.post_many(range(300))
        assert consumer.objects(300) == [str(number) for number in range(300)]
    with pytest.raises(Refused, match="event-id-unknown"):
        connect(stream["endpoint"], last_event_id="9999")
    with connect(stream["endpoint"], last_event_id="299") as consumer:
        assert consumer.objects(1) == ["299"]
        assert server.terminate() in (0, -15)
        assert consumer.control()["code"] == "server-shutdown"


def test_one_process_has_room_for_so_many(servers):
    server = servers(STREAMS_READERS_MAX=1)
    endpoint = server.stream()["endpoint"]
    with Lines(endpoint), pytest.raises(Refused, match="too-many-readers"):
        Lines(endpoint)


@every_transport
def test_a_filter_and_its_changes_hold_for_open_connections(servers, connect):
    server = servers()
    chosen = server.call("POST", "filters", server.filter("post"))["data"]
    stream = server.stream(filter_id=chosen["id"])
    with connect(stream["endpoint"]) as consumer:
        server.post(1, verb="like")
        server.post(2)
        assert consumer.objects(1) == ["2"]
        server.call("PUT", f"filters/{chosen['id']}", server.filter("like"))
        assert consumer.control()["code"] == "stream-changed"
        server.post(3)
        server.post(4, verb="like")
        assert consumer.objects(1) == ["4"]
        server.call("PUT", f"streams/{stream['id']}", {"object_types": ["user"], "type": "long_poll"})
        assert consumer.control() == {
            "code": "stream-changed",
            "object_types": ["user"],
            "filter_id": None,
        }
        server.post(5)
        server.call("POST", "user/", {"id": "ann"})
        assert consumer.event()["meta"]["type"] == "user"


@every_transport
def test_a_deleted_stream_ends_its_connections(servers, connect):
    server = servers()
    stream = server.stream()
    with connect(stream["endpoint"]) as consumer:
        server.post(1)
        consumer.event()
        server.call("DELETE", f"streams/{stream['id']}")
        assert consumer.control() == {"code": "stream-deleted", "last_event_id": "1"}
        with pytest.raises(StopIteration):
            consumer.message()
        assert getattr(consumer, "close_code", 4404) == 4404


@every_transport
def test_a_stream_can_end_with_its_connection(servers, connect):
    server = servers()
    stream = server.stream()
    connect(stream["endpoint"], auto_delete="1").close()
    wait_until(lambda: server.call("GET", "streams")["data"] == [], "the stream is gone", within=20)


@every_transport
def test_a_connection_ends_with_its_token(servers, connect):
    server = servers()
    stream = server.stream()
    expiring = token({**APP, "exp": int(time.time()) + 2})
    with connect(stream["endpoint"], access_token=expiring) as consumer:
        assert consumer.control()["code"] == "token-expired"
        with pytest.raises(StopIteration):
            consumer.message()


@every_transport
def test_a_connection_on_which_nothing_happens_has_signs_of_life(servers, connect):
    server = servers(STREAMS_HEARTBEAT_SECONDS=0.1)
    stream = server.stream()
    with connect(stream["endpoint"]) as consumer:
        pause(0.6)
        server.post(1)
        consumer.event()
        assert consumer.heartbeats >= 3


@every_transport
def test_a_burst_beyond_the_queue_arrives_whole_and_in_order(servers, connect):
    server = servers(STREAMS_QUEUE_MAX=5)
    stream = server.stream()
    with connect(stream["endpoint"]) as consumer:
        server.post_many(range(600))
        assert consumer.objects(600) == [str(number) for number in range(600)]


def test_who_takes_nothing_is_cut_off_and_goes_on_by_its_cursor(servers):
    server = servers(STREAMS_SLOW_SECONDS=0.5, STREAMS_QUEUE_MAX=10)
    stream = server.stream()
    address = urlsplit(stream["endpoint"])
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect((address.hostname, address.port))
        stuck.sendall(f"GET {address.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert stuck.recv(15) == b"HTTP/1.1 200 OK"
        for number in range(8):
            server.post_many(range(number * 100, number * 100 + 100), text="x" * 9000)
        wait_until(lambda: server.status(stream)["dropped"] == 1, "it is cut off", within=30)
        wait_until(lambda: server.status(stream)["readers"] == 0, "it is gone", within=30)
    with Lines(stream["endpoint"], last_event_id="0") as consumer:
        assert consumer.objects(800) == [str(number) for number in range(800)]


@every_transport
def test_a_server_that_ends_says_so(servers, connect):
    server = servers()
    stream = server.stream()
    with connect(stream["endpoint"]) as consumer:
        server.post(1)
        consumer.event()
        assert server.terminate() in (0, -15)
        assert consumer.control() == {"code": "server-shutdown", "last_event_id": "1"}
        with pytest.raises(StopIteration):
            consumer.message()
        assert getattr(consumer, "close_code", 1012) == 1012


def test_the_status_tells_readers_lag_and_what_was_sent(servers):
    server = servers()
    stream = server.stream()
    server.post_many(range(3))
    assert server.status(stream)["lag"] == 0  # nobody has looked: the log has no places yet
    with Lines(stream["endpoint"]) as consumer:
        consumer.objects(3)
        wait_until(lambda: server.status(stream)["sent"] == 3, "it is written down", within=20)
        status = server.status(stream)
    assert status == {
        "readers": 1,
        "lag": 0,
        "last_event_id": "3",
        "newest_event_id": "3",
        "sent": 3,
        "dropped": 0,
    }


def test_a_websocket_greets_and_answers(servers):
    server = servers()
    stream = server.stream("post", key="butterball")
    with WebSocket(stream["endpoint"], access_token=token(APP), key="butterball") as consumer:
        assert len(consumer.greeting["connection_id"]) == 32
        assert consumer.greeting["stream"]["key"] == "butterball"
        assert consumer.greeting["stream"]["object_types"] == ["post"]
        consumer.say("ping")
        server.post(1)
        consumer.event()
        assert consumer.pongs == 1


def test_browsers_of_other_sites_may_listen(servers):
    server = servers()
    with ServerSent(server.stream()["endpoint"], {"Origin": "https://example.com"}) as consumer:
        assert consumer.headers_received["Access-Control-Allow-Origin"] == "*"
