"""stream-python, unmodified, as a client of the server over a socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stream
from stream.exceptions import ApiKeyException, FeedConfigException, InputException, StreamApiException

from django_stream.server.conf import server_settings

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The library looks at the loop that is there, which newer versions of Python warn about.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
TIME = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def client(live_server) -> Any:
    return stream.connect("embedded", server_settings.own_secret, "1", base_url=live_server.url)


def activity(**fields: Any) -> dict[str, Any]:
    return {"actor": 1, "verb": "tweet", "object": 1, **fields}


def test_it_adds_reads_and_removes(client):
    feed = client.feed("user", "1")
    made = feed.add_activity(activity(foreign_id="tweet:1", time=TIME, course={"name": "Golf"}))
    assert made["time"] == TIME
    found = feed.get(limit=5)["results"]
    assert [(item["id"], item["course"], item["time"]) for item in found] == [
        (made["id"], {"name": "Golf"}, TIME)
    ]
    assert feed.remove_activity(made["id"])["removed"] == made["id"]
    feed.add_activity(activity(foreign_id="tweet:1"))
    feed.remove_activity(foreign_id="tweet:1")
    assert feed.get()["results"] == []


def test_it_adds_a_batch_and_pages(client):
    feed = client.feed("user", "1")
    made = feed.add_activities([activity(object=number) for number in range(5)])["activities"]
    newest_first = [item["id"] for item in reversed(made)]
    assert [item["id"] for item in feed.get(limit=2)["results"]] == newest_first[:2]
    assert [item["id"] for item in feed.get(limit=9, id_lt=newest_first[1])["results"]] == newest_first[2:]


def test_it_sends_targets_with_tokens_and_reads_them_bare(client):
    feed = client.feed("user", "1")
    made = feed.add_activity(activity(foreign_id="a", time=TIME, to=["flat:1", "flat:2"]))
    assert made["to"] == ["flat:1", "flat:2"]
    assert [item["id"] for item in client.feed("flat", "1").get()["results"]] == [made["id"]]
    answer = feed.update_activity_to_targets("a", TIME, new_targets=["flat:3"])
    assert (answer["activity"]["to"], answer["added"]) == (["flat:3"], ["flat:3"])
    assert set(answer["removed"]) == {"flat:1", "flat:2"}


def test_it_follows_and_unfollows(client):
    made = client.feed("user", "1").add_activity(activity())
    timeline = client.feed("timeline", "1")
    timeline.follow("user", "1")
    assert [item["origin"] for item in timeline.get()["results"]] == ["user:1"]
    assert [follow["target_id"] for follow in timeline.following(feeds=["user:1"])["results"]] == ["user:1"]
    assert [follow["feed_id"] for follow in client.feed("user", "1").followers()["results"]] == ["timeline:1"]
    timeline.unfollow("user", "1", keep_history=True)
    assert [item["id"] for item in timeline.get()["results"]] == [made["id"]]
    timeline.follow("user", "1")
    timeline.unfollow("user", "1")
    assert timeline.get()["results"] == []


def test_it_works_in_batches(client):
    client.add_to_many(activity(), ["user:1", "user:2"])
    client.follow_many(
        [{"source": "timeline:1", "target": "user:1"}, {"source": "timeline:1", "target": "user:2"}],
        activity_copy_limit=10,
    )
    found = client.feed("user", "1").get()["results"]
    assert len(found) == 1
    stats = client.follow_stats("timeline:1")["results"]
    assert stats["following"] == {"count": 2, "feed": "timeline:1"}
    client.unfollow_many([{"source": "timeline:1", "target": "user:1", "keep_history": False}])
    client.follow_many([])
    client.unfollow_many([])
    assert client.follow_stats("timeline:1")["results"]["following"]["count"] == 1


def test_it_reads_and_updates_activities(client):
    feed = client.feed("user", "1")
    made = feed.add_activity(activity(foreign_id="a", time=TIME, shares={"facebook": 1}, gone=True))
    assert [item["id"] for item in client.get_activities(ids=[made["id"]])["results"]] == [made["id"]]
    found = client.get_activities(foreign_id_times=[("a", TIME)])["results"]
    assert [item["id"] for item in found] == [made["id"]]
    client.update_activity(
        {**activity(verb="changed"), "foreign_id": "a", "time": TIME, "shares": {"facebook": 2}}
    )
    answer = client.activity_partial_update(id=made["id"], set={"shares.googleplus": 3}, unset=["gone"])
    assert answer["activities"][0]["shares"] == {"facebook": 2, "googleplus": 3}
    changes = [{"foreign_id": "a", "time": TIME.isoformat(), "set": {"colour": "red"}}]
    assert client.activities_partial_update(changes)["activities"][0]["colour"] == "red"


def test_it_reads_groups_and_marks_them(client):
    feed = client.feed("notification", "1")
    for day in (1, 2):
        feed.add_activity(activity(time=TIME + timedelta(days=day)))
    before = feed.get(limit=5)
    assert (before["unseen"], before["unread"]) == (2, 2)
    assert before["results"][0]["created_at"] <= datetime.now(UTC)
    feed.get(mark_seen=True, mark_read=[before["results"][0]["id"]])
    after = feed.get()
    assert (after["unseen"], after["unread"]) == (0, 1)
    assert [group["is_read"] for group in after["results"]] == [True, False]


def test_its_errors_are_of_their_classes(client, live_server):
    with pytest.raises(FeedConfigException):
        client.feed("nobody", "1").get()
    with pytest.raises(InputException):
        client.feed("user", "1").add_activity({"actor": "a"})
    with pytest.raises(ApiKeyException):
        stream.connect("unknown", "secret" * 8, base_url=live_server.url).feed("user", "1").get()
    with pytest.raises(StreamApiException):
        stream.connect("embedded", "secret" * 8, base_url=live_server.url).feed("user", "1").get()


def test_its_user_and_read_only_tokens_open_what_they_name(client, live_server):
    made = client.feed("user", "1").add_activity(activity())
    user = client.create_user_token("2")
    assert user
    read_only = client.feed("user", "1").get_readonly_token()
    feed = stream.connect("embedded", "x" * 32, base_url=live_server.url).feed("user", "1")
    feed.token = read_only
    feed.create_scope_token = lambda *_: read_only
    assert [item["id"] for item in feed.get()["results"]] == [made["id"]]
    with pytest.raises(StreamApiException):
        feed.add_activity(activity())
