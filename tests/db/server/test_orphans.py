"""Activities come and go at once; none is listed that does not exist, and what is broken is healed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from django_stream.server import maintenance
from django_stream.server.models import Activity, Placement, TimelineEntry
from tests.contract.calling import call, ids, ok, post

ACTIVITY = {"actor": "a", "verb": "v", "object": "o", "foreign_id": "x:1", "time": "2026-01-31T12:00:00"}


@pytest.mark.django_db
def test_orphans_are_found_and_healed() -> None:
    ok("POST", "feed/timeline/1/follows/", {"target": "user:1"})
    lost, kept = post("user:1"), post("user:1")
    Activity.objects.get(actor="eric", key=min(Activity.objects.values_list("key", flat=True))).delete()
    assert Placement.objects.count() == 2

    out = StringIO()
    call_command("stream_server_maintain", "--orphans", stdout=out)

    assert "2 feeds listed activities that do not exist" in out.getvalue()
    assert (Placement.objects.count(), TimelineEntry.objects.count()) == (1, 2)
    assert ids("user:1") == ids("timeline:1") == [kept["id"]]
    assert lost["id"] not in ids("timeline:1")
    out.truncate(0)
    call_command("stream_server_maintain", "--orphans", stdout=out)
    assert "0 feeds" in out.getvalue()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_posting_and_deleting_one_activity_at_once_leaves_no_orphan() -> None:
    assert connection.vendor == "postgresql", "this test is about PostgreSQL: set DATABASE_URL"
    statuses: list[int] = []

    def work(number: int) -> None:
        try:
            for turn in range(60):
                feed = f"user/{(number + turn) % 3}"
                if (number + turn) % 2:
                    answer = call("POST", f"feed/{feed}/", ACTIVITY)
                else:
                    answer = call("DELETE", f"feed/{feed}/x:1/", foreign_id=1)
                statuses.append(answer.status)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    assert set(statuses) <= {200, 201}
    stored = set(Activity.objects.values_list("key", flat=True))
    assert set(Placement.objects.values_list("key", flat=True)) <= stored
    assert set(TimelineEntry.objects.values_list("key", flat=True)) <= stored


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [1, 5, 25])
def test_a_page_that_drops_nearly_everything_is_bounded_and_goes_on(
    limit: int, django_assert_max_num_queries: Any
) -> None:
    for some in range(0, 2600, 100):
        activities = [{"actor": "loud", "verb": "v", "object": str(some + n)} for n in range(100)]
        ok("POST", "feed/user/1/", {"activities": activities})
    ok("POST", "feed/user/1/", {"actor": "calm", "verb": "v", "object": "o", "time": "2020-01-01T00:00:00"})

    found, query, pages = [], {"limit": limit, "discard_actors": "loud"}, 0
    while query:
        with django_assert_max_num_queries(8):
            answer = ok("GET", "feed/user/1/", **query)
        found += [one["actor"] for one in answer["results"]]
        pages += 1
        query = _query(answer["next"]) if answer["next"] else {}
    assert (found, pages) == (["calm"], 2)


def _query(address: str) -> dict[str, Any]:
    from urllib.parse import parse_qsl, urlsplit

    return dict(parse_qsl(urlsplit(address).query))


@pytest.mark.django_db
def test_a_feed_that_is_deleted_meanwhile_is_passed_over(monkeypatch):
    monkeypatch.setattr(maintenance, "feeds_with_orphans", lambda: iter([2**40]))
    assert maintenance.heal_orphans() == 0
