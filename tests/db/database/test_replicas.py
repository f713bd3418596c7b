"""Which database a request reads from, and what is kept for the next one. Real replicas: tests/scale."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connection, connections, router, transaction
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from django_stream.database.replicas import ReplicaRouter, mark_written, positions, replica_middleware
from django_stream.database.replicas.checks import check_replicas
from django_stream.database.replicas.middleware import COOKIE
from django_stream.database.replicas.reading import Reading, noticed, reading

ROUTER = "django_stream.database.replicas.ReplicaRouter"
MIDDLEWARE = "django_stream.database.replicas.replica_middleware"
REPLAYED = 100


@pytest.fixture(autouse=True)
def _replica(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The second database counts as a replica, which has what was written up to position 100."""
    monkeypatch.setitem(connections.settings["other"], "STREAM_REPLICA_OF", "default")
    monkeypatch.setattr(positions.Replica, "has", lambda self, position: position <= REPLAYED)
    monkeypatch.setattr("django_stream.database.replicas.middleware.written", lambda primary: 200)
    _forget()
    # Connections are watched from when they are made; SQLite's in memory are made once.
    connection_created.send(sender=type(connection), connection=connection)
    settings.DATABASE_ROUTERS = [ROUTER]
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    yield
    _forget()
    connection.execute_wrappers.remove(noticed)


def _forget() -> None:
    for one in (positions.replicas_of, positions.primaries, positions.replica):
        one.cache_clear()


def read_from(**one: Any) -> str:
    with reading(Reading(**{"positions": {}, **one})):
        return router.db_for_read(User)


def test_outside_of_requests_the_primary_is_read() -> None:
    assert router.db_for_read(User) == "default"
    assert router.db_for_write(User) == "default"


@pytest.mark.parametrize(
    ("position", "may_lag", "expected"),
    [(0, True, "other"), (100, True, "other"), (101, True, "default"), (0, False, "default")],
)
def test_a_request_reads_what_its_sender_wrote(position: int, may_lag: bool, expected: str) -> None:
    assert read_from(positions={"default": position}, may_lag=may_lag) == expected


@pytest.mark.django_db(transaction=True)
def test_from_its_first_write_on_a_request_reads_from_the_primary() -> None:
    with reading(Reading({})):
        before = router.db_for_read(User)
        mark_written()
        assert (before, router.db_for_read(User)) == ("other", "default")
    assert read_from() == "other", "the next one"


@pytest.mark.django_db(transaction=True)
def test_a_transaction_is_read_where_it_is() -> None:
    with transaction.atomic():
        assert read_from() == "default"
    assert read_from() == "other"


@pytest.mark.django_db(transaction=True)
def test_wrappers_of_others_come_and_go() -> None:
    connection.execute_wrappers.clear()

    def own(execute: Any, *of: Any) -> Any:
        return execute(*of)

    with connection.execute_wrapper(own):
        connection_created.send(sender=type(connection), connection=connection)
    assert connection.execute_wrappers == [noticed]


def test_what_goes_on_after_a_request_reads_what_is_true_now() -> None:
    with reading(Reading({})):
        context = copy_context()
    assert context.run(router.db_for_read, User) == "default"


def test_models_elsewhere_are_written_and_read_there() -> None:
    class Elsewhere(ReplicaRouter):
        def primary(self, model: type[Any]) -> str:
            return "feeds" if model is Group else "default"

    user = User(pk=1)
    user._state.db = "other"
    asked = Elsewhere()
    assert (asked.db_for_read(Group), asked.db_for_write(Group)) == ("feeds", "feeds")
    assert (asked.db_for_read(User), asked.db_for_write(User)) == (None, None)
    assert asked.db_for_write(Group, instance=user) == "feeds"
    assert asked.db_for_write(User, instance=user) == "default"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ("SELECT 1", False),
        ("SELECT id FROM auth_user", False),
        ("INSERT INTO auth_group (name) VALUES ('a')", True),
        ("UPDATE auth_group SET name = 'b'", True),
        ("DELETE FROM auth_group", True),
        ("WITH w AS (SELECT 1 AS x) UPDATE auth_group SET name = 'c' WHERE id IN (SELECT x FROM w)", True),
    ],
)
def test_a_statement_that_writes_is_noticed(sql: str, writes: bool) -> None:
    with reading(one := Reading({})):
        with connection.cursor() as cursor:
            cursor.execute(sql)
        assert ("default" in one.written) == writes


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_no_write() -> None:
    with reading(one := Reading({})), transaction.atomic():
        list(User.objects.select_for_update())
    assert not one.written


def test_a_row_from_a_replica_is_written_to_its_primary() -> None:
    row, own = User(pk=1), Group(pk=1)
    row._state.db, own._state.db = "other", "default"
    assert router.db_for_write(User, instance=row) == "default"
    assert router.allow_relation(row, own)
    assert not router.allow_migrate_model("other", User)
    assert router.allow_migrate_model("default", User)


def view(request: HttpRequest) -> HttpResponse:
    if request.GET.get("writes"):
        mark_written()
    return HttpResponse(router.db_for_read(User))


def asked(request: HttpRequest) -> HttpResponse:
    answer: HttpResponse = replica_middleware(view)(request)
    return answer


def test_a_browser_carries_the_position(rf: RequestFactory) -> None:
    answer = asked(rf.post("/?writes=1"))
    assert answer.cookies[f"{COOKIE}_default"].value == "200"
    assert answer.cookies[f"{COOKIE}_default"]["httponly"]
    assert asked(rf.get("/")).content == b"other"
    rf.cookies.load({f"{COOKIE}_default": "200"})
    answer = asked(rf.get("/"))
    assert (answer.content, answer.cookies) == (b"default", {})


def test_what_changes_something_reads_what_is_true_now(rf: RequestFactory) -> None:
    for method in (rf.post, rf.put, rf.patch, rf.delete):
        assert asked(method("/")).content == b"default"


@pytest.mark.parametrize("told", ["", "x", "-1", "1e9", "9" * 400, "\u0663", "nan", "200; drop"])
def test_a_cookie_is_a_number_or_nothing(rf: RequestFactory, told: str) -> None:
    rf.cookies[f"{COOKIE}_default"] = told.encode().decode("latin-1")
    assert asked(rf.get("/")).content in (b"other", b"default")


def test_an_application_has_its_position_in_the_cache(rf: RequestFactory) -> None:
    cache.clear()
    asked(rf.post("/?api_key=mine&writes=1"))
    assert asked(rf.get("/?api_key=mine")).content == b"default"
    assert asked(rf.get("/?api_key=other")).content == b"other"
    assert asked(rf.get("/")).content == b"other"


def test_a_position_is_never_lowered(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    for position in (150, 120):
        monkeypatch.setattr("django_stream.database.replicas.middleware.written", lambda _, now=position: now)
        asked(rf.post("/?api_key=mine&writes=1"))
    monkeypatch.setattr(positions.Replica, "has", lambda self, position: position < 150)
    assert asked(rf.get("/?api_key=mine")).content == b"default"


def test_without_the_cache_the_primary_is_read(rf: RequestFactory, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    assert asked(rf.post("/?api_key=mine&writes=1")).status_code == 200
    assert asked(rf.get("/?api_key=mine")).content == b"default"
    assert asked(rf.get("/")).content == b"other"


def test_asynchronous_views_are_asked_the_same() -> None:
    async def own(request: HttpRequest) -> HttpResponse:
        return view(request)

    async def both() -> tuple[HttpResponse, HttpResponse]:
        middleware = replica_middleware(own)
        return await middleware(AsyncRequestFactory().get("/")), await middleware(
            AsyncRequestFactory().post("/?writes=1")
        )

    read, wrote = async_to_sync(both)()
    assert read.content == b"other"
    assert wrote.cookies[f"{COOKIE}_default"].value == "200"


def ids() -> list[str]:
    return sorted(str(one.id).removeprefix("django_stream.") for one in check_replicas())


def test_checks_tell_what_is_missing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(ReplicaRouter):
        """A subclass, as an instance."""

    vendor = connection.vendor
    wrong = ["E101"]  # the second database of the tests is SQLite, whatever the first one is
    assert ids() == [*wrong, "W102"], vendor
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    settings.DATABASE_ROUTERS = [Own()]
    assert ids() == wrong
    settings.DATABASE_ROUTERS, settings.MIDDLEWARE = [], []
    assert ids() == [*wrong, "W100", "W101"]
    for primary in ("nowhere", "other"):
        monkeypatch.setitem(connections.settings["other"], "STREAM_REPLICA_OF", primary)
        assert "E100" in ids()
    monkeypatch.delitem(connections.settings["other"], "STREAM_REPLICA_OF")
    assert ids() == []
