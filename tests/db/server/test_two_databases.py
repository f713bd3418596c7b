"""The server asks only the database that has its tables, and no replica of it inside of a change."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from django_stream.server.fanout import jobs
from django_stream.server.models import Feed
from django_stream.server.timelines import timelines
from tests.contract.calling import Api, ids, ok, post
from tests.db.server.test_events import REQUESTS, every_writing_endpoint, name_of, uploads

__all__ = ["uploads"]
pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("uploads", "app_streams", "elsewhere"),
]


class Elsewhere:
    """What is read inside of a transaction, or to write, is sought in the default database."""

    is_writing = False

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        inside = connections["other"].savepoint_ids
        return "default" if inside or self.is_writing else self.db_for_write(model)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "other" if model._meta.app_label == "django_stream_server" else None


def refused(execute: Any, sql: str, *of: Any) -> Any:
    """To begin a transaction is a statement, too: the test itself is one."""
    pytest.fail(f"the default database is asked: {sql}")


@pytest.fixture
def elsewhere(settings: Any, db: None) -> Iterator[None]:
    settings.DATABASE_ROUTERS = [Elsewhere()]
    with connection.execute_wrapper(refused):
        yield


@pytest.mark.django_db(databases=["default", "other"], transaction=True)
@every_writing_endpoint
def test_of_every_writing_endpoint(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    call = REQUESTS[name_of(endpoint)]()
    monkeypatch.setattr(Elsewhere, "is_writing", True)
    assert call.send(endpoint.method) == endpoint.status


@pytest.mark.parametrize("pulled", [None, 1])
def test_of_feeds_and_of_what_comes_to_them_later(pulled: int | None, settings: Any) -> None:
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = pulled
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 0
    followers = ["timeline:a", "timeline:b", "aggregated:c", "notification:d"]
    ok("POST", "follow_many/", [{"source": name, "target": "user:1"} for name in followers])
    made = [post("user:1", foreign_id="p", time=f"2026-01-01T00:00:0{number}")["id"] for number in range(4)]
    jobs.resume(idle_seconds=0)
    assert ids("timeline:a") == made[::-1]
    ok("POST", "activity/", {"id": made[0], "set": {"n": 1}})
    ok("DELETE", f"feed/timeline/a/{made[3]}/")
    ok("DELETE", f"feed/user/1/{made[2]}/")
    ok("DELETE", "feed/timeline/b/follows/user:1/", keep_history="true")
    jobs.resume(idle_seconds=0)
    assert [ids(name) for name in followers[:2]] == [[made[1], made[0]], [made[3], made[1], made[0]]]
    [group] = ok("GET", "feed/aggregated/c/")["results"]
    assert group["activity_count"] == 3
    marked = ok("GET", "feed/notification/d/", mark_seen="true", mark_read="true")
    assert (marked["unseen"], ok("GET", "feed/notification/d/")["unseen"]) == (1, 0)

    ok("DELETE", "feed/user/1/p/", foreign_id=1)
    jobs.resume(idle_seconds=0)
    for feed in Feed.objects.using("other"):
        timelines().settle(feed.pk)
        before = timelines().snapshot(feed.pk)
        timelines().rebuild(feed.pk)
        assert timelines().snapshot(feed.pk) == before
    call_command("stream_server_maintain", stdout=StringIO())
    assert ids("timeline:a") == []


def test_of_an_application_that_takes_over_what_a_user_posted_first() -> None:
    named = {"foreign_id": "post:5", "time": "2026-01-01T00:00:00", "verb": "v", "object": "o"}
    Api(auth=None).as_user("eve").ok("POST", "feed/user/eve/", {**named, "actor": "SU:eve"})
    mine = post("user:ann", **named, actor="SU:ann")
    assert (ids("user:eve"), ids("user:ann")) == ([], [mine["id"]])
