"""What is accepted can be read back equal, at every entrance; what cannot is refused with its field."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from django_stream.protocol import limits
from django_stream.protocol.activity_fields import ADDED
from django_stream.server.content import encoded, read_stored
from tests.contract.calling import call, ok, post, refusal

pytestmark = pytest.mark.django_db


def nested(depth: int, kind: str = "list") -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


REFUSED: dict[str, Any] = {
    "a whole number beyond 64 bits": 2**63,
    "below": -(2**63) - 1,
    "a number of 400 digits": 10**400,
    "a float beyond": 1e300,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "not a number": math.nan,
    "lists too deep": nested(limits.JSON_DEPTH),
    "objects too deep": nested(limits.JSON_DEPTH, "object"),
    "lists far too deep": nested(900),
    "a null character": "a\0b",
    "a null character in a key": {"a\0b": 1},
    "half a character": "\ud800",
}
ACCEPTED: dict[str, Any] = {
    "the largest whole number": 2**63 - 1,
    "the smallest": -(2**63),
    "a large float": 9.2e18,
    "a large one with more digits than it has bits": 1.2345678901234568e18,
    "the smallest float": -(2.0**63),
    "a tiny one": 5e-324,
    "minus zero": -0.0,
    "a third": 1 / 3,
    "deep lists": nested(limits.JSON_DEPTH - 2),
    "deep objects": nested(limits.JSON_DEPTH - 2, "object"),
    "an escape that is none": "\\u0000",
    "beyond the basic plane": "\U0001f600",
    "every other control character": "".join(map(chr, range(1, 32))),
    "an empty key": {"": None},
    "booleans and null": [True, False, None],
}


def _activity(value: Any) -> Callable[[], Any]:
    made = post("user:1", custom=value)
    return lambda: [ok("GET", "feed/user/1/")["results"][0]["custom"], made["custom"]]


def _part_of_an_activity(value: Any) -> Callable[[], Any]:
    activity = post("user:1", custom={})
    answer = ok("POST", "activity/", {"id": activity["id"], "set": {"custom.part": value}})
    read = ok("GET", "activities/", ids=activity["id"])["results"][0]
    return lambda: [answer["custom"]["part"], read["custom"]["part"]]


def _replaced_activity(value: Any) -> Callable[[], Any]:
    activity = post("user:1", foreign_id="a:1", time="2026-01-01T00:00:00")
    ok("POST", "activities/", {"activities": [activity | {"custom": value}]})
    return lambda: [ok("GET", "feed/user/1/")["results"][0]["custom"]]


def _reaction(value: Any) -> Callable[[], Any]:
    activity = post("user:1")
    body = {"kind": "like", "user_id": "bob", "activity_id": activity["id"], "data": {"custom": value}}
    made = ok("POST", "reaction/", body)
    enriched = ok("GET", "enrich/feed/user/1/", with_recent_reactions="true")["results"][0]
    read = ok("GET", f"reaction/{made['id']}/")
    return lambda: [one["data"]["custom"] for one in (made, read, enriched["latest_reactions"]["like"][0])]


def _reaction_update(value: Any) -> Callable[[], Any]:
    body = {"kind": "like", "user_id": "bob", "activity_id": post("user:1")["id"]}
    made = ok("POST", "reaction/", body)
    ok("PUT", f"reaction/{made['id']}/", {"data": {"custom": value}})
    return lambda: [ok("GET", f"reaction/{made['id']}/")["data"]["custom"]]


def _told_on_a_feed(value: Any) -> Callable[[], Any]:
    extra = {"target_feeds": ["user:2"], "target_feeds_extra_data": {"custom": value}}
    body = {"kind": "like", "user_id": "bob", "activity_id": post("user:1")["id"], **extra}
    ok("POST", "reaction/", body)
    return lambda: [ok("GET", "feed/user/2/")["results"][0]["custom"]]


def _user(value: Any) -> Callable[[], Any]:
    ok("POST", "user/", {"id": "bob", "data": {"custom": value}})
    post("user:1", actor="SU:bob")
    enriched = ok("GET", "enrich/feed/user/1/")["results"][0]
    return lambda: [one["data"]["custom"] for one in (ok("GET", "user/bob/"), enriched["actor"])]


def _users(value: Any) -> Callable[[], Any]:
    ok("POST", "users/", {"users": [{"id": "bob", "data": {"custom": value}}]})
    return lambda: [ok("GET", "users/", ids="bob")["users"][0]["data"]["custom"]]


def _collection(value: Any) -> Callable[[], Any]:
    ok("POST", "collections/food/", {"id": "pie", "data": {"custom": value}})
    post("user:1", object="SO:food:pie")
    enriched = ok("GET", "enrich/feed/user/1/")["results"][0]
    return lambda: [one["data"]["custom"] for one in (ok("GET", "collections/food/pie/"), enriched["object"])]


def _collections(value: Any) -> Callable[[], Any]:
    ok("POST", "collections/", {"data": {"food": [{"id": "pie", "custom": value}]}})
    return lambda: [ok("GET", "collections/food/pie/")["data"]["custom"]]


def _flag(value: Any) -> Callable[[], Any]:
    body = {"entity_type": "stream:user", "entity_id": "a", "user_id": "b", "custom": {"custom": value}}
    ok("POST", "moderation/flag/", body)
    return lambda: [value]


DOORS = {
    door.__name__.strip("_"): door
    for door in (
        *(_activity, _part_of_an_activity, _replaced_activity, _reaction, _reaction_update),
        *(_told_on_a_feed, _user, _users, _collection, _collections, _flag),
    )
}


FLAG = {"entity_type": "stream:user", "entity_id": "a", "user_id": "b"}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("value", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_accepted_is_read_back_equal(door: str, value: Any) -> None:
    for found in DOORS[door](value)():
        assert found == value
        assert json.loads(encoded(found)) == value


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    ("method", "path", "wrap"),
    [
        ("POST", "feed/user/1/", lambda v: {"actor": "a", "verb": "v", "object": "o", "custom": v}),
        ("POST", "user/", lambda v: {"id": "bob", "data": {"custom": v}}),
        ("POST", "collections/", lambda v: {"data": {"food": [{"id": "pie", "custom": v}]}}),
        ("POST", "moderation/flag/", lambda v: {**FLAG, "custom": {"custom": v}}),
    ],
    ids=["activity", "user", "collections", "flag"],
)
def test_what_cannot_be_read_back_is_refused(method: str, path: str, wrap: Any, value: Any) -> None:
    body = wrap(value)
    answer = call(method, path, body)
    assert (answer.status, answer.body["code"]) == (400, 4)
    # The field of the body that holds it.
    assert set(answer.body["exception_fields"]) == {list(body)[-1]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_stream_server_activity")
        assert cursor.fetchone() == (0,)


def test_what_is_refused_in_a_list_is_told_with_the_field_that_holds_it() -> None:
    answer = call("POST", "follow_many/", [{"source": "user:1", "target": "user:2"}, {"source": "a\0"}])
    assert set(answer.body["exception_fields"]) == {"source"}


@pytest.mark.parametrize("tiny", [5e-324, -2.2250738585072014e-308, 1.5e-200])
@pytest.mark.parametrize(
    ("path", "wrap", "most"),
    [
        ("feed/user/1/", lambda v: {"actor": "a", "verb": "v", "object": "o", "custom": v}, 10 * 1024),
        ("user/", lambda v: {"id": "bob", "data": {"custom": v}}, 64 * 1024),
        ("collections/", lambda v: {"data": {"food": [{"id": "pie", "custom": v}]}}, 64 * 1024),
    ],
    ids=["activity", "user", "collections"],
)
def test_numbers_count_with_the_digits_that_databases_give_them(
    path: str, wrap: Any, most: int, tiny: float
) -> None:
    """What reading costs is what is stored: jsonb writes 5e-324 in 326 letters."""
    few = most // 400 - 1
    ok("POST", path, wrap([tiny] * few))
    status, code, detail = refusal("POST", path, wrap([[{"n": tiny}]] * (few * 3)))
    assert (status, code) == (400, 4)
    assert f"at most {most} bytes" in detail
    ok("POST", path, wrap([str(tiny)] * (few * 2)), get_or_create="true")


@pytest.mark.parametrize("name", sorted(ADDED))
def test_what_the_server_adds_to_an_activity_cannot_be_set(name: str) -> None:
    activity = post("user:1", **{name: "mine"})
    assert "mine" not in activity.values()
    assert refusal("POST", "activity/", {"id": activity["id"], "set": {name: 1}})[:2] == (400, 4)


@pytest.mark.parametrize("value", [2**64, 1e300, nested(60)], ids=["large", "float", "deep"])
def test_ranking_variables_pass_the_same_door(value: Any) -> None:
    assert refusal("GET", "feed/user/1/", ranking_vars=json.dumps({"a": value}))[:2] == (400, 4)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"n": 1' + "0" * 400 + "}", {"n": None}),
        ('{"n": [1e400, -Infinity, NaN]}', {"n": [None, None, None]}),
        ('{"n": 18446744073709551616}', {"n": 1.8446744073709552e19}),
        ("[" * 5000 + "]" * 5000, {}),
        ("[" * 300 + "]" * 300, {}),
        ('{"a":' * 300 + "1" + "}" * 300, {}),
        ("[" + "[1]," * 300 + "[1]]", [[1]] * 301),
        ("{", {}),
    ],
    ids=["400 digits", "no number", "65 bits", "far too deep", "deep", "deep objects", "many", "broken"],
)
def test_reading_never_fails_on_what_others_stored(text: str, read: Any) -> None:
    found = read_stored(text)
    assert found == read
    encoded(found)


@pytest.mark.parametrize("value", ["9223372036854775808", "-1", "1_0", "１", "1e3", "9" * 400])
def test_numbers_of_the_query_are_numbers_of_rows(value: str) -> None:
    assert refusal("GET", "feed/user/1/", offset=value)[:2] == (400, 4)
