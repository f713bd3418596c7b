"""For each public call of stream-python, our request equals its request, or docs/client.md says why not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import stream

from django_stream import client as ours
from tests.unit.client.requests_seen import KEY, SECRET, Seen, claims, seen

TIME = datetime(2026, 1, 31, 12, 30, 15, 250, UTC)
NAIVE = datetime(2026, 1, 31, 12, 30, 15)
ID = "9b5b3540-e825-11e8-8080-800016ff21e4"
TWEET = {"actor": "1", "verb": "tweet", "object": "1"}
EXACT = uuid.UUID("9b5b3540-e825-11e8-8080-800016ff21e4")
DOCUMENT = Path(__file__).parents[3] / "docs" / "client.md"

Call = Callable[[Any], Any]
Difference = Callable[[Seen], Seen]


def own_headers(request: Seen) -> Seen:
    name = ours.http.USER_AGENT
    changed = {"user-agent": name, "x-stream-client": name, "accept": "application/json"}
    headers = {**request.headers, **changed, "accept-encoding": "gzip, deflate"}
    headers.pop("connection")
    return request.but(headers=headers)


def no_delete_body(request: Seen) -> Seen:
    return request.but(json=None)


def bare_targets(request: Seen) -> Seen:
    def bare(activity: dict[str, Any]) -> dict[str, Any]:
        return {**activity, "to": [target.split(" ")[0] for target in activity["to"]]}

    if "activities" in request.json:
        return request.but(json={"activities": [bare(item) for item in request.json["activities"]]})
    return request.but(json=bare(request.json))


def no_target_token(request: Seen) -> Seen:
    return request.but(json={name: value for name, value in request.json.items() if name != "target_token"})


def empty_list(request: Seen) -> Seen:
    return request.but(json=[])


def lookup_once(request: Seen) -> Seen:
    in_path = {"kind", "activity_id", "reaction_id", "user_id"}
    return request.but(query={name: value for name, value in request.query.items() if name not in in_path})


def data_in_body_only(request: Seen) -> Seen:
    return request.but(query={name: value for name, value in request.query.items() if name != "data"})


def exact_values(request: Seen) -> Seen:
    return request.but(json={**request.json, "price": "12.50", "token": str(EXACT)})


DIFFERENCES: dict[str, Difference] = {
    "own-headers": own_headers,
    "no-delete-body": no_delete_body,
    "bare-targets": bare_targets,
    "no-target-token": no_target_token,
    "empty-list": empty_list,
    "lookup-once": lookup_once,
    "data-in-body-only": data_in_body_only,
    "exact-values": exact_values,
}


def user(client: Any) -> Any:
    return client.feed("user", "1")


CALLS: dict[str, tuple[Call, list[str]]] = {
    "add_activity": (lambda c: user(c).add_activity(TWEET), []),
    "add_activity with times": (
        lambda c: user(c).add_activity({**TWEET, "time": TIME, "at": {"naive": [NAIVE]}, "n": None}),
        [],
    ),
    "add_activity with exact values": (
        lambda c: user(c).add_activity({**TWEET, "price": Decimal("12.50"), "token": EXACT}),
        ["exact-values"],
    ),
    "add_activity with to": (
        lambda c: user(c).add_activity({**TWEET, "to": ["user:2", "user:3"]}),
        ["bare-targets"],
    ),
    "add_activities": (lambda c: user(c).add_activities([TWEET, {**TWEET, "object": "2"}]), []),
    "add_activities with to": (
        lambda c: user(c).add_activities([{**TWEET, "to": ["user:2"]}]),
        ["bare-targets"],
    ),
    "remove_activity": (lambda c: user(c).remove_activity(ID), ["no-delete-body"]),
    "remove_activity by foreign_id": (
        lambda c: user(c).remove_activity(foreign_id="tweet:1"),
        ["no-delete-body"],
    ),
    "get": (lambda c: user(c).get(), []),
    "get with paging": (lambda c: user(c).get(limit=5, offset=5), []),
    "get with ids": (lambda c: user(c).get(limit=5, id_lt=ID, id_gte=ID), []),
    "get with marks": (lambda c: user(c).get(mark_read=True, mark_seen=["a", "b"]), []),
    "get with ranking": (lambda c: user(c).get(ranking="popular", session="s", user_id="7"), []),
    "get enriched": (lambda c: user(c).get(enrich=True), []),
    "get with reactions": (
        lambda c: user(c).get(
            reactions={"own": True, "recent": True, "counts": True, "kinds": ["like", " ", "comment "]}
        ),
        [],
    ),
    "follow": (lambda c: user(c).follow("flat", "42"), ["no-target-token"]),
    "follow with limit": (
        lambda c: user(c).follow("flat", "42", activity_copy_limit=10, reason="x"),
        ["no-target-token"],
    ),
    "unfollow": (lambda c: user(c).unfollow("flat", "42"), ["no-delete-body"]),
    "unfollow keeping": (lambda c: user(c).unfollow("flat", "42", keep_history=True), ["no-delete-body"]),
    "followers": (lambda c: user(c).followers(), []),
    "followers with filter": (lambda c: user(c).followers(offset=1, limit=2, feeds=["a:1", "b:2"]), []),
    "following": (lambda c: user(c).following(offset=1, limit=2, feeds=["a:1"]), []),
    "update_activity_to_targets": (
        lambda c: user(c).update_activity_to_targets("tweet:1", TIME, new_targets=["user:2"]),
        [],
    ),
    "update_activity_to_targets by parts": (
        lambda c: user(c).update_activity_to_targets(
            "tweet:1", TIME, added_targets=["user:2"], removed_targets=["user:3"]
        ),
        [],
    ),
    "add_to_many": (lambda c: c.add_to_many(TWEET, ["user:1", "user:2"]), []),
    "follow_many": (
        lambda c: c.follow_many([{"source": "flat:1", "target": "user:1", "activity_copy_limit": 3}]),
        [],
    ),
    "follow_many with limit": (
        lambda c: c.follow_many([{"source": "flat:1", "target": "user:1"}], activity_copy_limit=7),
        [],
    ),
    "follow_many of none": (lambda c: c.follow_many([]), ["empty-list"]),
    "unfollow_many": (
        lambda c: c.unfollow_many([{"source": "flat:1", "target": "user:1", "keep_history": True}]),
        [],
    ),
    "update_activities": (
        lambda c: c.update_activities([{**TWEET, "foreign_id": "tweet:1", "time": TIME}]),
        [],
    ),
    "update_activity": (
        lambda c: c.update_activity({**TWEET, "foreign_id": "tweet:1", "time": TIME}),
        [],
    ),
    "get_activities by ids": (lambda c: c.get_activities(ids=[ID, ID]), []),
    "get_activities by foreign ids": (
        lambda c: c.get_activities(foreign_id_times=[("tweet:1", TIME), ("tweet:2", NAIVE)]),
        [],
    ),
    "get_activities enriched": (
        lambda c: c.get_activities(ids=[ID], enrich=True, reactions={"counts": True}, user_id="7"),
        [],
    ),
    "activity_partial_update": (
        lambda c: c.activity_partial_update(id=ID, set={"product.name": "boots"}, unset=["popularity"]),
        [],
    ),
    "activity_partial_update by foreign id": (
        lambda c: c.activity_partial_update(foreign_id="tweet:1", time=TIME, set={"a": 1}),
        [],
    ),
    "activities_partial_update": (lambda c: c.activities_partial_update([{"id": ID, "unset": ["a"]}]), []),
    "og": (lambda c: c.og("https://example.com/a?b=c&d=e"), []),
    "follow_stats": (
        lambda c: c.follow_stats("user:1", followers_slugs=["user", "news"], following_slugs="timeline"),
        [],
    ),
    "track_engagements": (lambda c: c.track_engagements([{"content": "1", "label": "click"}]), []),
    "track_impressions": (lambda c: c.track_impressions([{"content_list": ["1"]}]), []),
    "reactions.add": (
        lambda c: c.reactions.add(
            "like", ID, "bob", data={"a": 1}, target_feeds=["user:2"], target_feeds_extra_data={"b": 2}
        ),
        [],
    ),
    "reactions.add plain": (lambda c: c.reactions.add("like", ID, "bob"), []),
    "reactions.add moderated": (lambda c: c.reactions.add("like", ID, "bob", moderation_template="m"), []),
    "reactions.add_child": (lambda c: c.reactions.add_child("like", ID, "bob"), []),
    "reactions.get": (lambda c: c.reactions.get(ID), []),
    "reactions.update": (lambda c: c.reactions.update(ID, data={"a": 1}, target_feeds=["user:2"]), []),
    "reactions.delete": (lambda c: c.reactions.delete(ID), ["no-delete-body"]),
    "reactions.delete softly": (lambda c: c.reactions.delete(ID, soft=True), ["no-delete-body"]),
    "reactions.restore": (lambda c: c.reactions.restore(ID), []),
    "reactions.filter": (
        lambda c: c.reactions.filter(activity_id=ID, kind="like", limit=5, id_lt=ID),
        ["lookup-once"],
    ),
    "reactions.filter by user": (lambda c: c.reactions.filter(user_id="bob"), ["lookup-once"]),
    "reactions.filter by reaction": (lambda c: c.reactions.filter(reaction_id=ID), ["lookup-once"]),
    "users.add": (lambda c: c.users.add("bob", {"name": "Bob"}), []),
    "users.add or get": (lambda c: c.users.add("bob", get_or_create=True), []),
    "users.get": (lambda c: c.users.get("bob", with_follow_counts=True), []),
    "users.update": (lambda c: c.users.update("bob", {"name": "Bob"}), []),
    "users.delete": (lambda c: c.users.delete("bob"), ["no-delete-body"]),
    "collections.add": (lambda c: c.collections.add("food", {"name": "Pie"}, id="1", user_id="bob"), []),
    "collections.add without id": (lambda c: c.collections.add("food", {"name": "Pie"}), []),
    "collections.get": (lambda c: c.collections.get("food", "1"), []),
    "collections.update": (lambda c: c.collections.update("food", "1", {"name": "Pie"}), []),
    "collections.delete": (lambda c: c.collections.delete("food", "1"), ["no-delete-body"]),
    "collections.upsert": (lambda c: c.collections.upsert("food", [{"id": "1", "name": "Pie"}]), []),
    "collections.upsert one": (lambda c: c.collections.upsert("food", {"id": "1", "name": "Pie"}), []),
    "collections.select": (lambda c: c.collections.select("food", ["1", 2]), []),
    "collections.select one": (lambda c: c.collections.select("food", 1), []),
    "collections.delete_many": (lambda c: c.collections.delete_many("food", ["1", 2]), ["no-delete-body"]),
    "personalization.get": (
        lambda c: c.personalization.get("follow_recommendations", user_id=123, limit=10),
        [],
    ),
    "personalization.post": (
        lambda c: c.personalization.post("follow_recommendations", user_id=1, data={"a": 1}),
        ["data-in-body-only"],
    ),
    "personalization.delete": (lambda c: c.personalization.delete("meta", ids=["1"]), ["no-delete-body"]),
    "get shortcut": (lambda c: c.get("feed/user/1", user(c).token, params={"limit": 3}), []),
    "post shortcut": (lambda c: c.post("feed//user/1/", user(c).token, data=TWEET), []),
    "put shortcut": (lambda c: c.put("user/bob/", user(c).token), []),
    "delete shortcut": (lambda c: c.delete("feed/user/1/x/", user(c).token), ["no-delete-body"]),
}


def record(call: Call, client: Any) -> list[Seen]:
    with responses.RequestsMock() as mocked:
        for method in ("GET", "POST", "PUT", "DELETE"):
            mocked.add(method, re.compile(".*"), json={"duration": "1ms"})
        mocked.assert_all_requests_are_fired = False
        call(client)
        return [seen(made.request) for made in mocked.calls]


@pytest.mark.parametrize("name", CALLS)
def test_our_request_is_the_official_client_s_but_for_the_listed_differences(name: str) -> None:
    call, differences = CALLS[name]

    [theirs] = record(call, stream.connect(KEY, SECRET))
    [own] = record(call, ours.connect(KEY, SECRET, environ={}))

    for difference in ["own-headers", *differences]:
        changed = DIFFERENCES[difference](theirs)
        assert changed != theirs, f"{difference} is no difference here"
        theirs = changed
    assert own == theirs


@pytest.mark.parametrize(
    ("options", "prefix"),
    [
        ({"location": "eu-west"}, "https://eu-west-api.stream-io-api.com/api/v1.0/"),
        ({"location": "singapore"}, "https://singapore-api.stream-io-api.com/api/v1.0/"),
        ({"base_url": "http://localhost:8000"}, "http://localhost:8000/api/v1.0/"),
        ({"version": "v2.0"}, "https://api.stream-io-api.com/api/v2.0/"),
    ],
    ids=lambda value: str(value),
)
def test_both_clients_call_the_same_place(options: dict[str, str], prefix: str) -> None:
    def call(client: Any) -> None:
        user(client).get()
        client.track_impressions({"content_list": ["1"]})
        client.personalization.get("meta")

    theirs = [request.url for request in record(call, stream.connect(KEY, SECRET, **options))]
    own = [request.url for request in record(call, ours.connect(KEY, SECRET, environ={}, **options))]

    assert own == theirs
    assert own[0] == f"{prefix}feed/user/1/"


TOKENS: dict[str, Call] = {
    "user token": lambda c: c.create_user_token("bob", user_group="admins"),
    "scope token": lambda c: c.create_jwt_token("feed", "read", feed_id="user1", user_id="bob", extra=1),
    "feed's scope token": lambda c: user(c).create_scope_token("follower", "write"),
    "read-only token": lambda c: user(c).get_readonly_token(),
    "feed token": lambda c: user(c).token,
    "signature": lambda c: user(c).signature.split(" ")[1],
    "recipient": lambda c: user(c).add_to_signature(["user:2"])[0].split(" ")[1],
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_hold_the_same_claims(name: str) -> None:
    mint = TOKENS[name]

    assert claims(mint(ours.connect(KEY, SECRET))) == claims(mint(stream.connect(KEY, SECRET)))


def test_redirect_urls_are_the_same() -> None:
    def parts(client: Any) -> tuple[str, dict[str, Any]]:
        events = [{"content_list": ["tweet:1"], "user_data": "tommaso", "location": "email"}]
        url = urlsplit(client.create_redirect_url("http://google.com/?a=b&c=d", "user_id", events))
        query: dict[str, Any] = {name: value for name, [value] in parse_qs(url.query).items()}
        query["authorization"] = claims(query["authorization"])
        return f"{url.scheme}://{url.netloc}{url.path}", query

    assert parts(ours.connect(KEY, SECRET)) == parts(stream.connect(KEY, SECRET))


@pytest.mark.parametrize(
    "name", ["slug", "user_id", "id", "feed_url", "enriched_feed_url", "feed_targets_url"]
)
def test_feeds_have_the_same_attributes(name: str) -> None:
    own, theirs = user(ours.connect(KEY, SECRET)), user(stream.connect(KEY, SECRET))

    assert getattr(own, name) == getattr(theirs, name)
    assert own.feed_together == theirs.feed_together


def test_references_are_the_same() -> None:
    own, theirs = ours.connect(KEY, SECRET), stream.connect(KEY, SECRET)
    entry = {"collection": "food", "id": "1"}

    for id in ("bob", {"id": "bob"}):
        assert own.users.create_reference(id) == theirs.users.create_reference(id)
    assert own.collections.create_reference("food", 1) == theirs.collections.create_reference("food", 1)
    assert own.collections.create_reference(entry=entry) == theirs.collections.create_reference(entry=entry)


def test_every_public_call_of_the_official_client_is_recorded() -> None:
    theirs = stream.connect(KEY, SECRET)
    parts = {"": theirs, "reactions.": theirs.reactions, "users.": theirs.users, "feed": user(theirs)}
    parts |= {"collections.": theirs.collections, "personalization.": theirs.personalization}
    local = {"create_reference", "raise_exception", "feed"}
    seen_elsewhere = {"create_jwt_token", "create_user_token", "create_redirect_url", "create_scope_token"}
    seen_elsewhere |= {"get_readonly_token", "add_to_signature", "get_user_agent"}
    seen_elsewhere |= {"get_default_header", "get_default_params", "get_full_url"}

    for prefix, part in parts.items():
        for name in dir(type(part)):
            if name.startswith("_") or not callable(getattr(part, name)) or name in local | seen_elsewhere:
                continue
            wanted = name if prefix == "feed" else f"{prefix}{name}"
            assert any(recorded.split(" ")[0] == wanted for recorded in CALLS), wanted


def test_the_listed_differences_are_those_of_the_manual() -> None:
    table = DOCUMENT.read_text().partition("| request |")[2].partition("\n\n")[0]
    listed = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)

    assert sorted(listed) == sorted(DIFFERENCES)
