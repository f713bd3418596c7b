"""What is taken can be named in a list of ids; what a list could not name is refused with its field."""

from __future__ import annotations

from typing import Any

import pytest

from django_stream.backends import get_client
from tests.contract.calling import Api, post

pytestmark = pytest.mark.django_db
api = Api()
LISTED = [
    " a",
    "a ",
    "\ta",
    "a\n",
    " ",
    "a.b",
    "a:b",
    "a;b",
    "a b",
    "Zoë",
    "a%2Cb",
    "a@b",
    "'a'",
    '"',
    "+1",
    "a&b=c",
    "null",
    "0",
]
UNLISTED = ["a,b", ",", "a,"]
DAY = "2026-01-31T12:00:00"


def reaction(**fields: Any) -> dict[str, Any]:
    return {"kind": "like", "user_id": "bob", "activity_id": post("user:1")["id"]} | fields


@pytest.mark.parametrize("name", LISTED)
def test_what_a_list_can_name_is_found_by_it(name: str) -> None:
    api.ok("POST", "user/", {"id": name, "data": {"n": 1}})
    assert [user["id"] for user in api.ok("GET", "users/", ids=f"x,{name}")["users"]] == [name]
    api.ok("POST", "users/", {"users": [{"id": f"{name}2"}]})
    assert {user["id"] for user in api.ok("GET", "users/", ids=[name, f"{name}2"])["users"]} >= {
        name,
        f"{name}2",
    }

    api.ok("POST", "reaction/", reaction(id=name))
    assert [one["id"] for one in api.ok("GET", "reaction/get_many/", ids=f"x,{name}")["reactions"]] == [name]


def test_a_blank_alone_is_a_name_too() -> None:
    api.ok("POST", "user/", {"id": " "})
    assert [user["id"] for user in api.ok("GET", "users/", ids=" ")["users"]] == [" "]
    api.ok("POST", "reaction/", reaction(id=" "))
    assert [one["id"] for one in api.ok("GET", "reaction/get_many/", ids=" ")["reactions"]] == [" "]
    for path in ("users/", "reaction/get_many/"):
        assert api.call("GET", path, ids=",").status == 400


def test_who_is_deleted_by_a_list_is_who_it_names() -> None:
    for name in ("a", " a", "b"):
        api.ok("POST", "user/", {"id": name})
    assert api.ok("DELETE", "users/", ids=" a, b")["deleted_user_ids"] == [" a", "b"]
    assert [user["id"] for user in api.ok("GET", "users/", ids="a, a,b")["users"]] == ["a"]


@pytest.mark.parametrize("name", UNLISTED)
def test_what_no_list_can_name_is_refused(name: str) -> None:
    for method, path, body, field in (
        ("POST", "user/", {"id": name}, "id"),
        ("POST", "users/", {"users": [{"id": name}]}, "id"),
        ("POST", "reaction/", reaction(id=name), "id"),
        ("POST", "reaction/", reaction(kind=name), "kind"),
        ("POST", "reaction/", reaction(user_id=name), "user_id"),
        ("POST", "collections/food/", {"user_id": name, "data": {"n": 1}}, "user_id"),
        ("POST", "collections/food/", {"id": name, "data": {}}, "id"),
    ):
        answer = api.call(method, path, body)
        assert (answer.status, list(answer.body["exception_fields"])) == (400, [field]), path


@pytest.mark.parametrize("name", [*LISTED, "a,b", "a, b,c", ","])
def test_activities_are_found_by_any_foreign_id(name: str) -> None:
    fields = {"actor": "a", "verb": "v", "object": "o", "time": DAY}
    sent = [api.ok("POST", "feed/user/1/", fields | {"foreign_id": one})["id"] for one in (name, "other")]

    def found(names: Any, times: Any) -> list[str]:
        results = api.ok("GET", "activities/", foreign_ids=names, timestamps=times)["results"]
        return [activity["id"] for activity in results]

    assert found([name, name], [DAY, DAY]) == sent[:1]
    assert found([name, "other"], [DAY, DAY]) == sent
    assert found([name, "other"], f"{DAY},{DAY}") == sent
    assert found("other,none", f"{DAY},{DAY}") == sent[1:]
    if name == name.strip():
        client = get_client()
        for pairs in ([(name, DAY)], [(name, DAY), ("other", DAY)]):
            results = client.get_activities(foreign_id_times=pairs)["results"]
            assert [activity["id"] for activity in results] == sent[: len(pairs)]


def test_decisions_are_kept_whole() -> None:
    """In the log of changes, which is where they can be read."""
    entity = {"entity_type": "stream:user", "entity_id": "bob", "moderator_id": "eve"}
    told = {name: name[0] * 255 for name in ("status", "recommended_action", "latest_moderator_action")}
    api.ok("POST", "moderation/status/", entity | told)
    [entry] = api.ok("GET", "audit_logs/", entity_type="user", entity_id="bob")["audit_logs"]
    assert entry["custom"] == told
