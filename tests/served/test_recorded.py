"""Requests in the forms of the PHP and the Ruby client, whose languages are not here, by their documents."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import requests

from django_stream.protocol.credentials import EMBEDDED_API_KEY, embedded_secret
from tests.contract.calling import token
from tests.served.conftest import Served

SECRET = embedded_secret("tests")


class Client:
    """Sends what is written down: the path as it is, the parameters in their order, and bare JSON."""

    def __init__(self, served: Served, name: str) -> None:
        self.url, self.name = served.url, name

    def send(
        self, method: str, path: str, claims: dict[str, str], body: Any = None, **query: Any
    ) -> dict[str, Any]:
        parameters = urlencode(sorted({"api_key": EMBEDDED_API_KEY, **query}.items()), doseq=True)
        answer = requests.request(
            method,
            f"{self.url}/api/v1.0{path}?{parameters}",
            data=None if body is None else json.dumps(body),
            headers={
                "Authorization": token({"action": "*", "feed_id": "*", **claims}, SECRET),
                "stream-auth-type": "jwt",
                "X-Stream-Client": self.name,
                "Content-Type": "application/json",
            },
            timeout=60,
            allow_redirects=False,
        )
        assert answer.status_code in (200, 201), (method, path, answer.text)
        return dict(answer.json())


ACTIVITY = {"actor": "User:2", "verb": "pin", "object": "Place:42"}


def test_php(served: Served):
    send = Client(served, "stream-php-client-8.0.0").send
    feed = {"resource": "feed", "feed_id": "userphp"}
    follower = {"resource": "follower", "feed_id": "flatphp"}
    recipient = token({"resource": "feed", "action": "*", "feed_id": "*"}, SECRET)
    send(
        "POST",
        "/feed/flat/php/follows/",
        {**follower, "action": "write"},
        {"target": "user:php", "activity_copy_limit": 300, "target_token": recipient},
    )
    made = send(
        "POST",
        "/feed/user/php/",
        {**feed, "action": "write"},
        {**ACTIVITY, "foreign_id": "https://example.org/1", "to": [f"topic:php {recipient}"]},
    )
    assert made["to"] == ["topic:php"]
    page = send("GET", "/feed/user/php/", {**feed, "action": "read"}, offset=0, limit=20)
    assert [item["id"] for item in page["results"]] == [made["id"]]
    followers = send("GET", "/feed/user/php/followers/", {"resource": "follower"}, limit=25, offset=0)
    assert [one["feed_id"] for one in followers["results"]] == ["flat:php"]
    following = send("GET", "/feed/flat/php/follows/", follower, limit=25, offset=0, filter="")
    assert [one["target_id"] for one in following["results"]] == ["user:php"]
    # Sent as it is, unlike by clients that encode it.
    answer = send(
        "DELETE", "/feed/user/php/https://example.org/1/", {**feed, "action": "delete"}, foreign_id=1
    )
    assert answer["removed"] == "https://example.org/1"
    send(
        "DELETE",
        "/feed/flat/php/follows/user:php/",
        {**follower, "action": "delete"},
        keep_history="true",
    )
    collections = {"resource": "collections"}
    send("POST", "/meta/", collections, {"data": {"php": [{"id": "a", "name": "A"}]}})
    selected = send("GET", "/meta/", collections, foreign_ids="php:a,php:b")
    assert [entry["data"] for entry in selected["response"]["data"]] == [{"id": "a", "name": "A"}]
    send("POST", "/collections/php/", collections, {"id": None, "data": {"n": 1}, "user_id": None})
    send("DELETE", "/collections/", collections, collection_name="php", ids="a,b")


def test_ruby(served: Served):
    send = Client(served, "stream-ruby-client-6.0.0").send
    users = {"resource": "users", "user_id": "*"}
    reactions = {"resource": "reactions", "user_id": "*"}
    made = send("POST", "/feed/user/ruby/", {"resource": "feed"}, {**ACTIVITY, "foreign_id": "a"})
    send("POST", "/follow_many/", {"resource": "follower"}, [], activity_copy_limit=300)
    send("POST", "/unfollow_many/", {"resource": "follower"}, [])
    stats = send("GET", "/stats/follow", {"resource": "*"}, followers="user:ruby", following="user:ruby")
    assert stats["results"]["followers"] == {"feed": "user:ruby", "count": 0}
    found = send("GET", "/activities/", {"resource": "activities"}, ids=[made["id"]])
    assert [item["id"] for item in found["results"]] == [made["id"]]
    body = {"kind": "like", "activity_id": made["id"], "user_id": "ruby", "data": {"text": "hi"}}
    like = send("POST", "/reaction/", reactions, body)
    assert send("GET", f"/reaction/{like['id']}/", reactions)["data"] == {"text": "hi"}
    listed = send("GET", f"/reaction/activity_id/{made['id']}/like/", reactions, limit=10)
    assert [one["id"] for one in listed["results"]] == [like["id"]]
    send("PUT", f"/reaction/{like['id']}/", reactions, {"data": {"text": "ho"}})
    send("DELETE", f"/reaction/{like['id']}/", reactions, soft="true")
    send("PUT", f"/reaction/{like['id']}/restore/", reactions)
    send("POST", "/user/", users, {"id": "ruby", "data": {"name": "R"}}, get_or_create="true")
    assert send("GET", "/user/ruby/", users, with_follow_counts="true")["followers_count"] == 0
    send("PUT", "/user/ruby/", users, {"data": {"name": "S"}})
    collections = {"resource": "collections", "user_id": "*"}
    send("POST", "/collections/", collections, {"data": {"ruby": [{"id": "a", "name": "A"}]}})
    selected = send("GET", "/collections/", collections, foreign_ids="ruby:a")
    assert [entry["data"] for entry in selected["response"]["data"]] == [{"id": "a", "name": "A"}]
    change = {"id": made["id"], "set": {"size": 1}, "unset": ["none"]}
    assert send("POST", "/activity/", {"resource": "activities"}, change)["size"] == 1
    targets = {"foreign_id": "a", "time": made["time"], "new_targets": ["topic:ruby"]}
    answer = send(
        "POST", "/feed_targets/user/ruby/activity_to_targets/", {"resource": "feed_targets"}, targets
    )
    assert answer["added"] == ["topic:ruby"]
    assert send("DELETE", "/feed/user/ruby/a/", {"resource": "feed"}, foreign_id=1)["removed"] == "a"
