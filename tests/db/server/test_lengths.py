"""Names are as long as the tables hold: longer ones are refused or unknown, and no database fails on one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.calling import Api, token

pytestmark = pytest.mark.django_db

LONG, LONGEST, WIDE = "x" * 300, "x" * 255, "é" * 127
ACTIVITY = {"actor": "a", "verb": "v", "object": "o"}
REACTION = {"kind": LONGEST, "activity_id": "c2a1f4f4-5c1c-1c0c-8f5e-000000000000"}
LONG_FEEDS: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", f"feed/user/{LONG}/", ACTIVITY, {}),
    ("GET", f"feed/user/{LONG}/", None, {}),
    ("GET", f"feed/notification/{LONG}/", None, {"mark_read": "true"}),
    ("POST", "feed/user/1/", {**ACTIVITY, "to": [f"user:{LONG}"]}, {}),
    ("POST", "feed/add_to_many/", {"activity": ACTIVITY, "feeds": [f"user:{LONG}"]}, {}),
    ("POST", "feed/user/1/follows/", {"target": f"user:{LONG}"}, {}),
    ("POST", f"feed/user/{LONG}/follows/", {"target": "user:1"}, {}),
    ("POST", "follow_many/", [{"source": f"user:{LONG}", "target": "user:2"}], {}),
    ("POST", "unfollow_many/", [{"source": f"user:{LONG}", "target": "user:2"}], {}),
    ("DELETE", f"feed/user/{LONG}/{LONG}/", None, {}),
    ("DELETE", f"feed/user/1/follows/user:{LONG}/", None, {}),
    ("GET", "stats/follow/", None, {"followers": f"user:{LONG}", "followers_slugs": LONG}),
    ("POST", "reaction/", {**REACTION, "user_id": "bob", "target_feeds": [f"user:{LONG}"]}, {}),
]
LONG_NAMES: list[tuple[str, str, Any, dict[str, str]]] = [
    ("DELETE", f"feed/user/1/{LONG}/", None, {"foreign_id": "true"}),
    ("GET", "audit_logs/", None, {"user_id": LONG}),
    ("GET", f"data_privacy/export_ids/{LONG}/", None, {}),
    ("DELETE", f"moderation/user/cache/{LONG}/", None, {}),
    ("GET", f"reaction/{LONG}/", None, {}),
    ("GET", f"reaction/user_id/{LONG}/{LONG}/", None, {"filter_user_id": LONG}),
    ("GET", f"reaction/reaction_id/{LONG}/", None, {"id_lt": LONG}),
    ("GET", "reaction/get_many/", None, {"ids": LONG, "user_id": LONG}),
    ("DELETE", f"reaction/{LONG}/", None, {}),
    ("GET", f"user/{LONG}/", None, {"with_follow_counts": "true"}),
    ("DELETE", f"user/{LONG}/", None, {"user_id": LONG}),
    ("DELETE", "users/", None, {"ids": LONG}),
    ("GET", f"collections/{LONG}/{LONG}/", None, {}),
    ("GET", "collections/", None, {"foreign_ids": f"{LONG}:{LONG}"}),
    ("POST", "files/refresh/", {"url": LONG}, {}),
    ("GET", "enrich/feed/user/1/", None, {"user_id": LONG, "with_own_reactions": "true"}),
]
ENTITY = {"entity_type": "stream:user", "entity_id": WIDE}
LONGEST_NAMES: list[tuple[str, str, Any]] = [
    ("POST", f"feed/user/{LONGEST}/", {**ACTIVITY, "to": [f"notification:{LONGEST}"], "foreign_id": WIDE}),
    ("POST", f"feed/user/{LONGEST}/follows/", {"target": "user:1"}),
    ("POST", "user/", {"id": LONGEST, "data": {}}),
    ("POST", f"collections/{LONGEST}/", {"id": LONGEST, "data": {"a": 1}}),
    ("POST", "reaction/", {**REACTION, "user_id": LONGEST, "id": LONGEST}),
    ("POST", "moderation/status/", {**ENTITY, "moderator_id": LONGEST, "status": LONGEST}),
    ("POST", "moderation/flag/", {**ENTITY, "user_id": LONGEST, "reason": LONGEST}),
]


@pytest.mark.parametrize(("method", "path", "body", "query"), LONG_FEEDS, ids=lambda one: str(one)[:40])
def test_feeds_with_too_long_names_are_refused(
    method: str, path: str, body: Any, query: dict[str, str]
) -> None:
    assert Api().refused(method, path, body, **query) == (400, 4)


@pytest.mark.parametrize(("method", "path", "body", "query"), LONG_NAMES, ids=lambda one: str(one)[:40])
def test_too_long_names_are_those_of_nothing(
    method: str, path: str, body: Any, query: dict[str, str]
) -> None:
    for api in (Api(), Api().as_user("1"), Api().as_user(LONGEST)):
        assert api.call(method, path, body, **query).status in (200, 400, 403, 404)


@pytest.mark.parametrize(("method", "path", "body"), LONGEST_NAMES, ids=lambda one: str(one)[:40])
def test_the_longest_names_are_taken(method: str, path: str, body: Any) -> None:
    assert Api().call(method, path, body).status == 201


@pytest.mark.parametrize("user_id", [LONG, "a\0b", "\ud800", "", "*", 1, ["a"], {"a": 1}, None], ids=repr)
@pytest.mark.parametrize("path", ["reaction/", "collections/food/", "feed/user/1/"])
def test_a_token_of_what_is_no_user_opens_nothing(user_id: Any, path: str) -> None:
    assert Api(auth=token({"user_id": user_id})).refused("POST", path, REACTION) == (403, 17)
