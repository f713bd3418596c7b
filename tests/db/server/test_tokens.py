"""A token opens what it names and nothing else: every endpoint with every kind of claim."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from django_stream.protocol import scopes
from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.requests import Endpoint
from tests.contract.calling import call, ok, token, user_token

pytestmark = pytest.mark.django_db

SLUG, USER = "user", "ann"
VALUES = {"feed": f"{SLUG}/{USER}", "target": "user:bob", "item...": "x", "lookup": "user_id"}
OTHERS = {"resource": "personalization", "action": {"read": "write", "write": "delete", "delete": "read"}}


def path_of(endpoint: Endpoint) -> str:
    return re.sub(r"\{([\w.]+)\}", lambda match: VALUES.get(match[1], "ann"), endpoint.pattern)


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.pattern}"


@dataclass(frozen=True)
class Claims:
    """Claims that fit or miss an endpoint in one respect."""

    name: str
    fits: bool
    resource: str = "{resource}"
    action: str = "{action}"
    feed_id: str = "*"

    def token(self, endpoint: Endpoint) -> str:
        other = OTHERS["action"][endpoint.action]
        words = {"resource": endpoint.resource, "action": endpoint.action, "other": other}
        return token(
            {
                "resource": self.resource.format(**words),
                "action": self.action.format(**words),
                "feed_id": self.feed_id,
            }
        )


CLAIMS = [
    Claims("exact", True),
    Claims("any", True, "*", "*"),
    Claims("listed", True, "personalization,{resource}", "{other},{action}", "flat:x,*"),
    Claims("other resource", False, "personalization"),
    Claims("other action", False, action="{other}"),
    Claims("other feed", False, feed_id="userbob"),
    Claims("no resource", False, ""),
    Claims("no action", False, action=""),
    Claims("no feed", False, feed_id=""),
]


def denied(endpoint: Endpoint, auth: str) -> bool:
    body = {} if endpoint.method in ("POST", "PUT") else None
    answer = call(endpoint.method, path_of(endpoint), body, auth=auth)
    return answer.body.get("code") == 17 and answer.status == 403


@pytest.mark.parametrize("claims", CLAIMS, ids=lambda claims: claims.name)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_server_tokens_open_exactly_what_their_claims_name(endpoint, claims):
    assert denied(endpoint, claims.token(endpoint)) is not claims.fits


@pytest.mark.parametrize("feed_id", ["userann", "user:ann", "userbob,userann", "user:bob,user:ann"])
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_tokens_of_one_feed_open_that_feed_and_nothing_without_a_feed(endpoint, feed_id):
    auth = token({"resource": "*", "action": "*", "feed_id": feed_id})
    assert denied(endpoint, auth) is not ("{feed}" in endpoint.pattern)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.users is None], ids=name_of)
def test_what_is_for_servers_is_closed_to_users(endpoint):
    assert denied(endpoint, user_token(USER))


def test_every_resource_is_one_of_the_protocol():
    assert {endpoint.resource for endpoint in ENDPOINTS} <= scopes.RESOURCES


def test_a_resource_claim_makes_a_server_token_whatever_user_it_names():
    auth = token({"resource": "*", "action": "*", "feed_id": "*", "user_id": "*"})
    ok("GET", "audit_logs/", auth=auth, user_id="ann")


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
