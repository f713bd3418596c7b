"""A token opens what it names and nothing else: the claims of servers, and the policy for users."""

from __future__ import annotations

import time

import pytest

from tests.contract.calling import call, ok, refused, token, user_token

pytestmark = pytest.mark.django_db

USER = "ann"
# Which claims open an endpoint is decided in one place, by resource, action and the feed in the path: the
# claims are tried on one endpoint of each method with a feed and without. test_endpoint_access has every one.
WITH_FEED = {
    "GET": "feed/user/ann/",
    "POST": "feed/user/ann/",
    "DELETE": "feed/user/ann/x/",
}
WITHOUT_FEED = {
    "GET": "collections/",
    "POST": "collections/",
    "PUT": "collections/food/x/",
    "DELETE": "collections/",
}
EVERY = {"resource": "*", "action": "*", "feed_id": "*"}
NAMED = {"resource": "feed,collections", "action": "read,write,delete", "feed_id": "*"}
ALL, READS, NONE = "GET POST PUT DELETE", "GET", ""
# The claims, and the methods that they open: where a feed is in the path, and where none is.
CLAIMS = {
    "anything": (EVERY, ALL, ALL),
    "listed": (NAMED, ALL, ALL),
    "any among others": (
        {"resource": "users,*", "action": "read,*", "feed_id": "flat:x,*"},
        ALL,
        ALL,
    ),
    "one resource": ({**EVERY, "resource": "feed"}, ALL, NONE),
    "another resource": ({**EVERY, "resource": "personalization"}, NONE, NONE),
    "parts of words": ({**EVERY, "resource": "fee,collection", "action": "r,writ"}, NONE, NONE),
    "reading": ({**EVERY, "action": "read"}, READS, READS),
    "writing": ({**EVERY, "action": "write"}, "POST PUT", "POST PUT"),
    "deleting": ({**EVERY, "action": "delete"}, "DELETE", "DELETE"),
    "reading what is named": ({**NAMED, "action": "read"}, READS, READS),
    "the feed": ({**EVERY, "feed_id": "userann"}, ALL, NONE),
    "the feed with a colon": ({**EVERY, "feed_id": "user:ann"}, ALL, NONE),
    "the feed among others": ({**EVERY, "feed_id": "userbob,userann"}, ALL, NONE),
    "the feed with a colon among others": ({**EVERY, "feed_id": "user:bob,user:ann"}, ALL, NONE),
    "another feed": ({**EVERY, "feed_id": "userbob"}, NONE, NONE),
    "the beginning of the feed": ({**EVERY, "feed_id": "user,user:,useran"}, NONE, NONE),
    "a longer feed": ({**EVERY, "feed_id": "useranna"}, NONE, NONE),
    "one resource and one feed": ({"resource": "feed", "action": "*", "feed_id": "userann"}, ALL, NONE),
    **{f"an empty {name}": ({**EVERY, name: ""}, NONE, NONE) for name in EVERY},
    **{f"a {name} that is no text": ({**EVERY, name: ["*"]}, NONE, NONE) for name in EVERY},
    "no action": ({"resource": "*", "feed_id": "*"}, NONE, NONE),
    "no feed": ({"resource": "*", "action": "*"}, NONE, NONE),
    "no resource": ({"action": "*", "feed_id": "*"}, NONE, NONE),
    "nothing": ({}, NONE, NONE),
}


def opened(paths: dict[str, str], auth: str) -> set[str]:
    """The methods of these paths that are not refused because of the token."""
    answers = {
        method: call(method, path, {} if method in ("POST", "PUT") else None, auth=auth)
        for method, path in paths.items()
    }
    refused = {
        method for method, answer in answers.items() if (answer.status, answer.body.get("code")) == (403, 17)
    }
    return set(paths) - refused


@pytest.mark.parametrize("name", CLAIMS)
def test_server_tokens_open_exactly_what_their_claims_name(name):
    claims, with_feed, without_feed = CLAIMS[name]
    auth = token(claims or {"iat": 1})
    assert opened(WITH_FEED, auth) == set(with_feed.split()) & set(WITH_FEED)
    assert opened(WITHOUT_FEED, auth) == set(without_feed.split()) & set(WITHOUT_FEED)


def test_a_resource_claim_makes_a_server_token_whatever_user_it_names():
    auth = token({"resource": "*", "action": "*", "feed_id": "*", "user_id": "*"})
    ok("GET", "audit_logs/", auth=auth, user_id="ann")


@pytest.mark.parametrize("number", [42, 1.5])
def test_a_number_for_a_user_id_is_told_so(number):
    answer = call("GET", "feed/user/42/", auth=token({"user_id": number}))
    assert (answer.status, answer.body["code"]) == (403, 17)
    assert f'"{number}"' in answer.body["detail"]
    assert "text" in answer.body["detail"]


ME, OTHER = "SU:ann", "SU:bob"
POST = {"actor": ME, "verb": "v", "object": "o"}
OLD = {**POST, "foreign_id": "a", "time": "2026-01-01T00:00:00"}
POLICY = [
    ("reads anyone's user feed", True, "GET", "feed/user/bob/", None),
    ("reads own timeline", True, "GET", "feed/timeline/ann/", None),
    ("reads own notifications", True, "GET", "feed/notification/ann/?mark_seen=true", None),
    ("reads another's timeline", False, "GET", "feed/timeline/bob/", None),
    ("reads another's notifications", False, "GET", "feed/notification/bob/", None),
    ("marks another's user feed", False, "GET", "feed/user/bob/?mark_read=true", None),
    ("posts to own feed", True, "POST", "feed/user/ann/", POST),
    ("posts without an actor", None, "POST", "feed/user/ann/", {**POST, "actor": None}),
    ("posts to another's feed", False, "POST", "feed/user/bob/", POST),
    ("posts to another's timeline", False, "POST", "feed/timeline/bob/", POST),
    ("posts as another", False, "POST", "feed/user/ann/", {**POST, "actor": OTHER}),
    (
        "posts as another in a batch",
        False,
        "POST",
        "feed/user/ann/",
        {"activities": [POST, {**POST, "actor": "x"}]},
    ),
    ("takes another's activity over", False, "POST", "feed/user/ann/", {**OLD, "foreign_id": "theirs"}),
    (
        "addresses another's notifications",
        True,
        "POST",
        "feed/user/ann/",
        {**POST, "to": ["notification:bob"]},
    ),
    ("addresses another's user feed", False, "POST", "feed/user/ann/", {**POST, "to": ["user:bob"]}),
    ("addresses another's timeline", False, "POST", "feed/user/ann/", {**POST, "to": ["timeline:bob"]}),
    ("removes from own feed", True, "DELETE", "feed/user/ann/x/", None),
    ("removes from another's feed", False, "DELETE", "feed/user/bob/x/", None),
    ("follows a user", True, "POST", "feed/timeline/ann/follows/", {"target": "user:bob"}),
    ("follows a timeline", True, "POST", "feed/notification/ann/follows/", {"target": "timeline:bob"}),
    (
        "follows a group that is not open",
        False,
        "POST",
        "feed/timeline/ann/follows/",
        {"target": "secret:bob"},
    ),
    ("follows notifications", False, "POST", "feed/timeline/ann/follows/", {"target": "notification:bob"}),
    ("follows for another", False, "POST", "feed/timeline/bob/follows/", {"target": "user:ann"}),
    ("unfollows", True, "DELETE", "feed/timeline/ann/follows/user:bob/", None),
    ("unfollows for another", False, "DELETE", "feed/timeline/bob/follows/user:ann/", None),
    ("lists own followers", True, "GET", "feed/user/ann/followers/", None),
    ("lists another's followers", False, "GET", "feed/timeline/bob/followers/", None),
    ("lists another's follows", False, "GET", "feed/user/bob/following/", None),
    ("reads activities", True, "GET", "activities/?ids=9b5b3540-e825-11e8-8080-800016ff21e4", None),
    ("replaces own activity", True, "POST", "activities/", {"activities": [OLD]}),
    ("replaces another's", False, "POST", "activities/", {"activities": [{**OLD, "foreign_id": "theirs"}]}),
    (
        "changes own activity",
        True,
        "POST",
        "activity/",
        {"foreign_id": "a", "time": OLD["time"], "set": {"x": 1}},
    ),
    (
        "changes another's",
        False,
        "POST",
        "activity/",
        {"foreign_id": "theirs", "time": OLD["time"], "set": {"x": 1}},
    ),
    (
        "gives an activity away",
        False,
        "POST",
        "activity/",
        {"foreign_id": "a", "time": OLD["time"], "set": {"actor": OTHER}},
    ),
    ("counts follows", True, "GET", "stats/follow/?followers=user:bob", None),
]


@pytest.mark.parametrize(
    ("allowed", "method", "path", "body"), [row[1:] for row in POLICY], ids=[row[0] for row in POLICY]
)
def test_user_tokens_follow_the_policy(allowed, method, path, body):
    ok("POST", "feed/user/ann/", OLD)
    ok("POST", "feed/user/bob/", {**OLD, "actor": OTHER, "foreign_id": "theirs"})
    where, _, query = path.partition("?")
    parameters = dict(pair.split("=") for pair in query.split("&")) if query else {}
    answer = call(method, where, body, auth=user_token(USER), **parameters)
    refused = (answer.status, answer.body.get("code")) == (403, 17)
    if allowed is None:
        assert (answer.status, answer.body["code"]) == (400, 4)
    elif allowed:
        assert answer.status in (200, 201), answer.body
    else:
        assert refused, answer.body
    theirs = ok("GET", "activities/", foreign_ids="theirs", timestamps=OLD["time"])["results"]
    assert [(item["actor"], item["verb"]) for item in theirs] == [(OTHER, "v")]


def test_a_signature_of_any_length_is_read_once() -> None:
    begun = time.thread_time()
    for letters in ("a" * 40_000, 'a="' * 15_000, "a=" * 20_000):
        assert refused("POST", "follow_many/", [], auth=f"Signature {letters}") == (401, 3)
    assert time.thread_time() - begun < 2
