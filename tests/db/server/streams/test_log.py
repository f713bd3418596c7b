"""The log: written in the transaction of the change, where somebody asks, in an order that never changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_stream.server.actions import streams as actions
from django_stream.server.actions import users
from django_stream.server.conf import server_settings
from django_stream.server.events import interest
from django_stream.server.events.recording import record
from django_stream.server.models import AppStream, StreamEvent, StreamLog
from django_stream.server.streams import log, rounds
from tests.contract.calling import Api

api = Api()
POST = {"actor": "SU:ann", "verb": "post", "object": "1", "foreign_id": "p:1", "time": "2026-01-01T00:00:00"}

in_transactions = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="elsewhere there is one writer at a time"
)


def stream(*object_types: str) -> AppStream:
    fields = {"object_types": list(object_types), "key": None, "filter_id": None}
    return actions.create(server_settings.own_app_id, fields)


def logged(since: int = 0) -> list[tuple[str, str, Any]]:
    log.give_places()
    return [(one.kind, one.op, json.loads(one.data)) for one in log.after(since)]


@pytest.mark.django_db
def test_nothing_is_written_for_what_nobody_asks_for():
    api.post("user:ann", **POST)
    stream("reaction")
    api.post("user:ann", **{**POST, "foreign_id": "p:2"})
    assert StreamEvent.objects.count() == 0


@pytest.mark.django_db
def test_what_is_asked_for_is_told_as_the_api_tells_it():
    stream("activity")
    made = api.post("user:ann", **POST, to=["notification:bob"], tags=[{"name": "sun"}])
    api.ok("POST", "activity/", {"id": made["id"], "set": {"verb": "share"}})
    stored = api.ok("GET", "activities/", ids=made["id"])["results"][0]
    api.ok("DELETE", f"feed/user/ann/{made['id']}/")
    first, second, third = logged()
    assert first[:2] == ("activity", "create")
    assert second == ("activity", "update", {**stored, "origin": None})
    assert third[:2] == ("activity", "delete")
    assert third[2]["verb"] == "share"
    assert [one.is_deleted for one in log.after(0)] == [False, False, True]


@pytest.mark.django_db
def test_every_type_has_its_events(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    wanted = ("reaction", "follow", "user", "collection", "feed", "notification", "file")
    stream(*wanted)
    made = api.post("user:ann", **POST, to=["notification:bob"])
    liked = api.react(made["id"])
    api.ok("DELETE", f"reaction/{liked['id']}/")
    api.follow("timeline:ann", "user:bob")
    api.ok("DELETE", "feed/timeline/ann/follows/user:bob/")
    api.made("user/", {"id": "ann", "data": {"n": 1}})
    api.made("collections/food/", {"id": "e", "data": {"n": 1}})
    api.ok("GET", "feed/notification/bob/", mark_seen="true")
    api.upload("files/", b"text", "a.txt")
    told = logged()
    assert [one[:2] for one in told] == [
        ("feed", "create"),
        ("notification", "update"),
        ("feed", "create"),
        ("reaction", "create"),
        ("reaction", "delete"),
        ("follow", "create"),
        ("follow", "delete"),
        ("user", "create"),
        ("collection", "create"),
        ("notification", "update"),
        ("file", "create"),
    ]
    data = [one[2] for one in told]
    assert [one["feed"] for one in data[:3]] == ["notification:bob", "notification:bob", "user:ann"]
    assert (data[0]["new"][0]["id"], data[1]["new"]) == (made["id"], [made["id"]])
    assert (data[3]["kind"], data[3]["user"]) == ("like", {"id": "bob"})
    assert data[3]["activity"] == {"id": made["id"]}
    assert (data[5]["source"], data[5]["target"]) == ("timeline:ann", "user:bob")
    assert (data[8]["foreign_id"], data[8]["data"]) == ("food:e", {"n": 1})
    assert data[9] == {"feed": "notification:bob", "group": "notification", "seen": "all"}
    assert (data[10]["name"], data[10]["size"]) == ("a.txt", 4)


@pytest.mark.django_db
def test_what_is_erased_is_in_the_log_no_more():
    stream("activity", "feed")
    made, other = api.post("user:ann", **POST), api.post("user:ann", **{**POST, "foreign_id": "p:2"})
    logged()
    api.ok("POST", "data_privacy/delete_activities/", {"activities": [{"id": made["id"]}]})
    told = logged()
    assert [one[2] for one in told if one[0] == "activity" and one[2]["id"] == made["id"]] == [
        {"id": made["id"]},
        {"id": made["id"]},
    ]
    assert ("activity", "delete") in [one[:2] for one in told]
    assert [one["id"] for kind, _, data in told if kind == "feed" for one in data["new"]] == [other["id"]]


@pytest.mark.django_db
def test_a_feed_is_told_once_for_all_activities_of_a_call():
    stream("feed")
    items = [{**POST, "foreign_id": f"p:{number}"} for number in range(30)]
    with CaptureQueriesContext(connection) as queries:
        api.made("feed/user/ann/", {"activities": items})
    inserts = [one for one in queries if 'INTO "django_stream_server_streamevent"' in one["sql"]]
    ((_, _, data),) = logged()
    assert (len(inserts), len(data["new"])) == (1, 30)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["the same", "changed"])
def test_a_feed_hears_of_an_activity_that_others_have_already(text):
    stream("feed")
    item = {**POST, "text": "the same"}
    made = api.post("user:ann", **item, to=["notification:bob"])
    seen = len(logged())
    to_many = {"activity": {**item, "text": text}, "feeds": ["user:ann", "user:club"]}
    api.ok("POST", "feed/add_to_many/", to_many)
    api.post("user:team", **{**item, "text": text})
    api.post("user:team", **{**item, "text": text})
    assert [(one[2]["feed"], [new["id"] for new in one[2]["new"]]) for one in logged()[seen:]] == [
        ("user:club", [made["id"]]),
        ("user:team", [made["id"]]),
    ]


@pytest.mark.django_db
def test_an_activity_that_comes_back_to_a_target_is_heard_of():
    stream("feed")
    to = {"to": ["notification:bob"]}
    made = api.post("user:ann", **POST, **to)
    api.ok("DELETE", f"feed/notification/bob/{made['id']}/")
    seen = len(logged())
    api.post("user:ann", **POST, **to)
    assert [(one[1], one[2]["feed"]) for one in logged()[seen:]] == [("create", "notification:bob")]


@in_transactions
def test_an_event_is_there_exactly_if_its_change_is():
    stream("user")
    with pytest.raises(RuntimeError), transaction.atomic():
        users.create(server_settings.own_app_id, "ann", {})
        raise RuntimeError
    assert logged() == []
    users.create(server_settings.own_app_id, "ann", {})
    assert len(logged()) == 1


@contextmanager
def another_connection() -> Iterator[Any]:
    """A second connection to the database, for use in this thread."""
    other = connections.create_connection("default")
    try:
        yield other
    finally:
        other.close()


def write_in(other: Any, name: str) -> None:
    """An event in the open transaction of another connection."""
    with other.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_stream_server_streamevent"
            " (application, kind, object_id, op, is_deleted, data, created_at)"
            " VALUES (1, 'user', %s, 'create', false, '{}', now())",
            [name],
        )


def write(name: str) -> None:
    StreamEvent.objects.create(
        application=1, kind="user", object_id=name, op="create", data="{}", created_at=timezone.now()
    )


@on_postgresql
@in_transactions
def test_a_transaction_that_commits_late_is_never_passed():
    seen: list[str] = []
    position = 0

    def read() -> None:
        nonlocal position
        log.give_places()
        for one in log.after(position):
            assert one.position == position + 1
            position = one.position
            seen.append(one.object_id)

    with another_connection() as late:
        late.set_autocommit(False)
        write_in(late, "first number, last commit")
        write("second")
        read()
        write("third")
        read()
        late.commit()
        read()
    assert seen == ["second", "third", "first number, last commit"]


@on_postgresql
@in_transactions
def test_two_who_give_places_at_once_give_each_once():
    for number in range(500):
        write(str(number))
    threads = [threading.Thread(target=_give_places) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.position for one in log.after(0)] == list(range(1, 501))
    assert [one.object_id for one in log.after(0)] == [str(number) for number in range(500)]


def _give_places() -> None:
    try:
        log.give_places()
    finally:
        connections.close_all()


@in_transactions
def test_places_are_given_in_batches_and_without_gaps(monkeypatch):
    monkeypatch.setattr(log, "BATCH", 7)
    for number in range(20):
        write(str(number))
    assert log.give_places() == 20
    assert [one.object_id for one in log.after(0, limit=100)] == [str(number) for number in range(20)]
    assert log.state().newest == 20


@in_transactions
def test_who_reads_hears_that_more_events_wait_for_their_places(monkeypatch):
    monkeypatch.setattr(log, "BATCH", 2)
    for number in range(5):
        write(str(number))
    left, position = [], 0
    for _ in range(3):
        found = rounds.read(position, None, [], [], woken=True)
        position = found.events[-1].position
        left.append(found.places_left)
    assert (left, position) == ([True, True, False], 5)


@in_transactions
def test_whoever_gives_places_and_fails_gives_none(monkeypatch):
    write("one")
    with pytest.raises(RuntimeError), transaction.atomic():
        log.give_places()
        raise RuntimeError
    assert log.state().newest == 0
    assert log.give_places() == 1


@on_postgresql
@in_transactions
def test_a_write_that_does_not_know_of_a_new_stream_is_waited_for():
    """A process remembers that nobody asks, and its transaction is open while a stream is made."""
    created = threading.Event()

    def make() -> None:
        try:
            stream("user")
            created.set()
        finally:
            connections.close_all()

    with another_connection() as writer:
        writer.set_autocommit(False)
        with writer.cursor() as cursor:
            cursor.execute("INSERT INTO django_stream_server_streamlog VALUES (2, 0, 0, 0)")
        maker = threading.Thread(target=make)
        maker.start()
        assert not created.wait(0.5)
        writer.commit()
    maker.join()
    assert created.is_set()


@in_transactions
def test_making_a_stream_takes_as_long_as_other_processes_remember(settings):
    settings.STREAM_SERVER_STREAMS_NOTICE_SECONDS = 0.3
    application = server_settings.own_app_id
    assert interest.of(application) == frozenset()
    remembered = dict(interest.remembered)
    started = timezone.now()
    stream("user")
    assert timezone.now() - started >= timedelta(seconds=0.3)
    # Another process that had looked just before looks again by now.
    interest.remembered.update(remembered)
    assert interest.of(application) == {"user"}


@in_transactions
def test_what_is_remembered_costs_no_query(settings):
    settings.STREAM_SERVER_STREAMS_NOTICE_SECONDS = 60.0
    assert not interest.anyone()
    with CaptureQueriesContext(connection) as queries:
        record([])
        assert not interest.anyone()
    assert len(queries) == 0


@in_transactions
@pytest.mark.parametrize(("days", "most", "left"), [(7.0, 100, 4), (7.0, 2, 2), (0.0, 100, 0)])
def test_old_events_and_too_many_are_deleted(settings, days, most, left):
    settings.STREAM_SERVER_STREAMS_LOG_DAYS = days
    settings.STREAM_SERVER_STREAMS_LOG_EVENTS_MAX = most
    for number in range(6):
        write(str(number))
    log.give_places()
    aged = StreamEvent.objects.filter(position__lte=2)
    aged.update(created_at=timezone.now() - timedelta(days=8))
    call_command("stream_server_maintain")
    assert [one.object_id for one in log.after(0)] == ["2", "3", "4", "5"][4 - left :]
    assert log.state()[:2] == (6, 6 - left)
    write("new")
    log.give_places()
    assert log.after(6)[-1].position == 7


@in_transactions
def test_changes_of_streams_are_counted():
    before = log.state().version
    row = stream("user")
    actions.update(row.application_id, row.key, {"object_types": ["activity"]})
    actions.delete(row.application_id, row.key)
    assert log.state().version == before + 3
    assert StreamLog.objects.count() == 1
