"""What stream-python has no call for, and what ours add: reactions, users, collections, operations."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from django_stream.client import StreamClient
from django_stream.client.exceptions import ValidationError
from tests.unit.client.requests_seen import API, seen

ID = "9b5b3540-e825-11e8-8080-800016ff21e4"
MOMENT = "2018-12-27T13:02:03.013191Z"
READ = datetime(2018, 12, 27, 13, 2, 3, 13191, UTC)
SERVER = {"resource": "*", "action": "*", "feed_id": "*"}

# name -> call, method, path, query, JSON, resource of the token
SENT: dict[str, tuple[Any, str, str, dict[str, list[str]], Any, str]] = {
    "reactions.get_many": (
        lambda c: c.reactions.get_many([ID, "b"], include_deleted=True),
        *("GET", "reaction/get_many/", {"ids": [f"{ID},b"], "include_deleted": ["True"]}, None, "reactions"),
    ),
    "reactions.get_many of living ones": (
        lambda c: c.reactions.get_many([ID], user_id="bob"),
        *("GET", "reaction/get_many/", {"ids": [ID], "user_id": ["bob"]}, None, "reactions"),
    ),
    "reactions.update with extra data": (
        lambda c: c.reactions.update(ID, None, [], target_feeds_extra_data={"a": 1}),
        *("PUT", f"reaction/{ID}/", {}),
        {"data": None, "target_feeds": [], "target_feeds_extra_data": {"a": 1}},
        "reactions",
    ),
    "reactions.filter by activity for a user": (
        lambda c: c.reactions.filter(activity_id=ID, user_id="bob", with_own_children=True),
        *("GET", f"reaction/activity_id/{ID}/", {"user_id": ["bob"], "with_own_children": ["True"]}),
        None,
        "reactions",
    ),
    "users.add_many": (
        lambda c: c.users.add_many([{"id": "bob", "data": {}}], override=True),
        *("POST", "users/", {}, {"users": [{"id": "bob", "data": {}}], "override": True}, "users"),
    ),
    "users.get_many": (
        lambda c: c.users.get_many(["bob", 7]),
        *("GET", "users/", {"ids": ["bob,7"]}, None, "users"),
    ),
    "users.delete_many": (
        lambda c: c.users.delete_many(["bob"]),
        *("DELETE", "users/", {"ids": ["bob"]}, None, "users"),
    ),
    "collections.upsert_many": (
        lambda c: c.collections.upsert_many({"food": [{"id": "1"}], "drinks": [{"id": "2"}]}),
        *("POST", "collections/", {}, {"data": {"food": [{"id": "1"}], "drinks": [{"id": "2"}]}}),
        "collections",
    ),
    "files.delete": (
        lambda c: c.files.delete("https://e.com/a?b=c"),
        *("DELETE", "files/", {"url": ["https://e.com/a?b=c"]}, None, "files"),
    ),
    "files.refresh": (
        lambda c: c.files.refresh("https://e.com/a"),
        *("POST", "files/refresh/", {}, {"url": "https://e.com/a"}, "files"),
    ),
    "images.delete": (
        lambda c: c.images.delete("https://e.com/a"),
        *("DELETE", "images/", {"url": ["https://e.com/a"]}, None, "files"),
    ),
    "images.process": (
        lambda c: c.images.process("u", width=5, height=6, resize="crop", crop=["top", "left"]),
        *("GET", "images/"),
        {"url": ["u"], "w": ["5"], "h": ["6"], "resize": ["crop"], "crop": ["top,left"]},
        *(None, "files"),
    ),
    "audit_logs.filter": (
        lambda c: c.audit_logs.filter(entity_type="activity", entity_id=ID, limit=5, next="n"),
        *("GET", "audit_logs/"),
        {"entity_type": ["activity"], "entity_id": [ID], "limit": ["5"], "next": ["n"]},
        *(None, "audit_logs"),
    ),
    "data_privacy.export_ids": (
        lambda c: c.data_privacy.export_ids("bob"),
        *("GET", "data_privacy/export_ids/bob/", {}, None, "data_privacy"),
    ),
    "data_privacy.delete_activities": (
        lambda c: c.data_privacy.delete_activities([ID, {"id": "b", "remove_from_feeds": ["user:1"]}]),
        *("POST", "data_privacy/delete_activities/", {}),
        {"activities": [{"id": ID}, {"id": "b", "remove_from_feeds": ["user:1"]}]},
        "data_privacy",
    ),
    "data_privacy.delete_reactions": (
        lambda c: c.data_privacy.delete_reactions([ID], soft=True),
        *("POST", "data_privacy/delete_reactions/", {}, {"ids": [ID], "soft": True}, "data_privacy"),
    ),
    "moderation.flag": (
        lambda c: c.moderation.flag("stream:user", "eve", "bob", reason="spam", custom={"a": 1}),
        *("POST", "moderation/flag/", {}),
        {
            "entity_type": "stream:user",
            "entity_id": "eve",
            "user_id": "bob",
            "reason": "spam",
            "custom": {"a": 1},
        },
        "moderation",
    ),
    "moderation.update_status": (
        lambda c: c.moderation.update_status("stream:user", "eve", "mod", status="complete"),
        *("POST", "moderation/status/", {}),
        {
            "entity_type": "stream:user",
            "entity_id": "eve",
            "moderator_id": "mod",
            "status": "complete",
            "recommended_action": "",
            "latest_moderator_action": "",
        },
        "moderation",
    ),
    "moderation.update_statuses": (
        lambda c: c.moderation.update_statuses("mod", [{"entity_id": "eve"}]),
        *("POST", "moderation/status/batch/", {}),
        {"moderator_id": "mod", "updates": [{"entity_id": "eve"}]},
        "moderation",
    ),
    "moderation.forget_user": (
        lambda c: c.moderation.forget_user("eve"),
        *("DELETE", "moderation/user/cache/eve/", {}, None, "moderation"),
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_the_request_is_that_of_the_wire_document(
    client: StreamClient, mocked: responses.RequestsMock, name: str
) -> None:
    call, method, path, query, body, resource = SENT[name]
    mocked.add(method, re.compile(".*"), json={"duration": "1ms"})

    call(client)

    [request] = [seen(made.request) for made in mocked.calls]
    assert (request.method, request.url) == (method, API + path)
    assert request.query == {"api_key": ["the-key"], **query}
    assert request.json == body
    own_claims = {"user_id": "*"} if resource == "collections" else {}
    assert request.claims == {**SERVER, "resource": resource, **own_claims}


def test_moderation_without_custom_data_sends_none(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    mocked.add("POST", f"{API}moderation/flag/", json={"duration": "1ms"}, status=201)

    client.moderation.flag("stream:user", "eve", "bob", reason="spam")

    assert "custom" not in seen(mocked.calls[0].request).json


def test_reactions_come_with_their_times_at_every_depth(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    user = {"id": "bob", "data": {"created_at": MOMENT}, "created_at": MOMENT, "updated_at": MOMENT}
    child = {"id": "b", "created_at": MOMENT, "user": dict(user), "latest_children": {}}
    top = {"id": "a", "created_at": MOMENT, "updated_at": MOMENT, "deleted_at": MOMENT, "user": user}
    activity = {"verb": "tweet", "time": "2018-12-27T13:02:03.013191", "actor": dict(user)}
    page = {"results": [{**top, "latest_children": {"like": [child]}}], "next": "", "activity": activity}
    mocked.add("GET", f"{API}reaction/user_id/bob/", json=page)

    found = client.reactions.filter(user_id="bob")

    [reaction] = found["results"]
    assert (reaction["created_at"], reaction["updated_at"], reaction["deleted_at"]) == (READ, READ, READ)
    assert reaction["user"]["created_at"] == READ
    assert reaction["user"]["data"] == {"created_at": MOMENT}
    assert reaction["latest_children"]["like"][0]["created_at"] == READ
    assert found["activity"]["time"] == READ
    assert found["activity"]["actor"]["created_at"] == READ


def test_users_and_entries_come_with_their_times(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    item = {"id": "1", "created_at": MOMENT, "updated_at": MOMENT}
    mocked.add("GET", f"{API}users/", json={"users": [dict(item)]})
    mocked.add("POST", f"{API}users/", json={"created_users": [dict(item)]})
    mocked.add("GET", f"{API}collections/", json={"response": {"data": [dict(item)]}})
    mocked.add("GET", f"{API}audit_logs/", json={"audit_logs": [dict(item)]})
    mocked.add("GET", f"{API}reaction/get_many/", json={"reactions": [dict(item)]})

    assert client.users.get_many(["1"])["users"][0]["created_at"] == READ
    assert client.users.add_many([{"id": "1"}])["created_users"][0]["updated_at"] == READ
    assert client.collections.select("food", "1")["response"]["data"][0]["created_at"] == READ
    assert client.audit_logs.filter(user_id="bob")["audit_logs"][0]["created_at"] == READ
    assert client.reactions.get_many(["1"])["reactions"][0]["created_at"] == READ


def test_large_batches_are_split_and_joined(client: StreamClient, mocked: responses.RequestsMock) -> None:
    def users(request: Any) -> tuple[int, dict[str, str], str]:
        ids = seen(request).query["ids"][0].split(",")
        return 200, {}, json.dumps({"users": [{"id": id} for id in ids]})

    def entries(request: Any) -> tuple[int, dict[str, str], str]:
        names = seen(request).query["foreign_ids"][0].split(",")
        return 200, {}, json.dumps({"response": {"data": [{"foreign_id": name} for name in names]}})

    mocked.add_callback("GET", f"{API}users/", users)
    mocked.add_callback("GET", f"{API}collections/", entries)

    assert len(client.users.get_many(range(250))["users"]) == 250
    selected = client.collections.select("food", list(range(1001)))["response"]["data"]
    assert [entry["foreign_id"] for entry in selected] == [f"food:{number}" for number in range(1001)]
    assert len(mocked.calls) == 3 + 2


REFUSED: dict[str, tuple[Any, str]] = {
    "reaction without kind": (lambda c: c.reactions.add("", ID, "bob"), "kind"),
    "reaction without activity": (lambda c: c.reactions.add("like", None, "bob"), "activity_id"),
    "child without parent": (lambda c: c.reactions.add_child("like", "", "bob"), "parent"),
    "reaction data as text": (lambda c: c.reactions.add("like", ID, "bob", data="x"), "data"),
    "21 target feeds": (
        lambda c: c.reactions.add("like", ID, "bob", target_feeds=["a:1"] * 21),
        "target_feeds",
    ),
    "unknown option of a reaction": (lambda c: c.reactions.add("like", ID, "bob", ids="x"), "a reaction"),
    "reaction id upwards": (lambda c: c.reactions.delete(".."), "reaction_id"),
    "filter by nothing": (lambda c: c.reactions.filter(kind="like"), "activity_id"),
    "filter by two": (lambda c: c.reactions.filter(reaction_id=ID, user_id="bob"), "reaction_id"),
    "filter limit": (lambda c: c.reactions.filter(user_id="bob", limit=-1), "limit"),
    "user id with a slash": (lambda c: c.users.get("a/b"), "user_id"),
    "empty user id": (lambda c: c.users.add(""), "user_id"),
    "user without id": (lambda c: c.users.add_many([{"data": {}}]), "users"),
    "entry without id": (lambda c: c.collections.upsert("food", {"name": "Pie"}), "food"),
    "collection upwards": (lambda c: c.collections.get("..", "1"), "collection_name"),
    "reference to nothing": (lambda c: c.collections.create_reference("food"), "collection_name"),
    "file without URL": (lambda c: c.files.delete(""), "url"),
    "unknown resize": (lambda c: c.images.process("u", resize="stretch"), "resize"),
    "unknown crop": (lambda c: c.images.process("u", crop="top,middle"), "crop"),
    "negative width": (lambda c: c.images.process("u", width=-1), "width"),
    "audit log of nothing": (lambda c: c.audit_logs.filter(), "entity_id"),
    "audit log of half": (lambda c: c.audit_logs.filter(entity_type="activity", user_id="bob"), "entity_id"),
    "og of nothing": (lambda c: c.og(""), "target_url"),
    "redirect to a file": (lambda c: c.create_redirect_url("file:///etc/passwd", "1", []), "target_url"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_its_field_before_anything_is_sent(
    client: StreamClient, mocked: responses.RequestsMock, name: str
) -> None:
    call, field = REFUSED[name]

    with pytest.raises(ValidationError) as refused:
        call(client)

    assert refused.value.field == field
    assert len(mocked.calls) == 0


def test_references_to_reactions(client: StreamClient) -> None:
    assert (
        client.reactions.create_reference({"id": ID}) == client.reactions.create_reference(ID) == f"SR:{ID}"
    )
