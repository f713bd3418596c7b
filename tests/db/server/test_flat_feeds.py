"""Flat feeds: what is added is read, and goes when its last way goes."""

from typing import Any
from uuid import UUID

import pytest

from django_stream.protocol.activity_ids import from_sort_key
from django_stream.server.models import Feed
from django_stream.server.timelines.admission import keys_of_foreign_id
from tests.contract.calling import follow, ids, ok, post

pytestmark = pytest.mark.django_db


def test_an_added_activity_is_answered_and_read_in_the_documented_form():
    answer = ok(
        "POST",
        "feed/user/1/",
        {
            "actor": 1,
            "verb": "tweet",
            "object": 1,
            "time": "2018-11-14T15:54:45.268Z",
            "foreign_id": "1E42DEB6-7C2F-4DA9-B6E6-0C6E5CC9815D",
            "my_custom": {"any": "json"},
            "to": ["timeline:jessica abc"],
        },
    )
    assert answer == {
        "id": "9b5b3540-e825-11e8-8080-800016ff21e4",
        "actor": "1",
        "verb": "tweet",
        "object": "1",
        "target": "",
        "foreign_id": "1E42DEB6-7C2F-4DA9-B6E6-0C6E5CC9815D",
        "origin": None,
        "time": "2018-11-14T15:54:45.268000",
        "to": ["timeline:jessica"],
        "my_custom": {"any": "json"},
    }
    page = ok("GET", "feed/user/1")
    assert page == {"results": [answer], "next": ""}
    assert ids("timeline:jessica") == [answer["id"]]


def test_follow_copies_and_forwards_and_unfollow_purges():
    old = post("user:1")["id"]
    follow("timeline:2", "user:1")
    new = post("user:1")["id"]
    assert ids("timeline:2") == [new, old]
    assert ok("GET", "feed/timeline/2/")["results"][0]["origin"] == "user:1"
    ok("DELETE", "feed/timeline/2/follows/user:1/")
    assert ids("timeline:2") == []


def test_removal_from_home_goes_everywhere_and_from_a_follower_only_there():
    follow("timeline:2", "user:1")
    follow("timeline:3", "user:1")
    one = post("user:1", to=["user:9"])["id"]
    ok("DELETE", f"feed/timeline/2/{one}/")
    assert (ids("timeline:2"), ids("timeline:3"), ids("user:1"), ids("user:9")) == ([], [one], [one], [one])
    ok("DELETE", f"feed/user/1/{one}/")
    assert (ids("timeline:3"), ids("user:1"), ids("user:9")) == ([], [], [])
    assert ok("GET", "activities/", ids=one)["results"] == []


def test_pages_by_id_lt_with_next():
    made = ok(
        "POST",
        "feed/user/1/",
        {"activities": [{"actor": "a", "verb": "v", "object": str(n)} for n in range(5)]},
    )
    newest_first = [item["id"] for item in reversed(made["activities"])]
    page = ok("GET", "feed/user/1/", limit="2")
    assert [item["id"] for item in page["results"]] == newest_first[:2]
    assert page["next"] == f"/api/v1.0/feed/user/1/?api_key=embedded&id_lt={newest_first[1]}&limit=2"
    assert ids("user:1", id_lt=newest_first[1], limit="3") == newest_first[2:]


def test_followers_and_follows():
    follow("timeline:2", "user:1")
    assert [f["feed_id"] for f in ok("GET", "feed/user/1/followers/")["results"]] == ["timeline:2"]
    assert [f["target_id"] for f in ok("GET", "feed/timeline/2/following", filter="user:1")["results"]] == [
        "user:1"
    ]
    assert ok("GET", "feed/timeline/2/follows/", filter="user:7")["results"] == []


def test_over_http(client):
    from tests.contract.calling import token

    r = client.post(
        "/api/v1.0//feed/user/1?api_key=embedded",
        {"actor": "a", "verb": "v", "object": "o"},
        content_type="application/json",
        headers={"Authorization": token(), "Stream-Auth-Type": "jwt"},
    )
    assert r.status_code == 201, r.content
    assert r.json()["actor"] == "a"


def test_many():
    ok("POST", "follow_many/", [{"source": f"timeline:{n}", "target": "user:1"} for n in range(5)])
    ok(
        "POST",
        "feed/add_to_many/",
        {"activity": {"actor": "a", "verb": "v", "object": "o"}, "feeds": ["user:1", "user:2"]},
    )
    assert len(ids("user:1")) == len(ids("user:2")) == 1
    assert ids("timeline:0") == []
    ok("POST", "unfollow_many/", [{"source": "timeline:1", "target": "user:1"}])
    assert len(ok("GET", "feed/user/1/followers/")["results"]) == 4


@pytest.mark.django_db(databases=["default", "other"])
def test_a_removal_does_not_ask_a_replica_that_lags_behind(settings: Any) -> None:
    made = post("user:1", foreign_id="a:1")

    settings.DATABASE_ROUTERS = [ReadsElsewhere()]
    feed = Feed.objects.using("default").get()
    keys = keys_of_foreign_id(feed.application_id, "a:1", feed.pk, most=500)
    assert [from_sort_key(key) for key in keys] == [UUID(made["id"])]


class ReadsElsewhere:
    """A replica that nothing has come to."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"
