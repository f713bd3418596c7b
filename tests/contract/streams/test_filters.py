"""Filters as objects, and the refusal of those that can never match."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.streams.calling import clause, made, made_filter, message, ok, refused

pytestmark = pytest.mark.django_db

POST = clause("/data/verb", "equals", "post")


def given(*clauses: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "n", "match_policy": "include_any", "clauses": list(clauses) or [POST], **fields}


def test_a_filter_is_created_read_listed_replaced_and_deleted():
    data = ok("POST", "filters", given(id="7", owner={"id": "1"}))
    assert data == {"id": data["id"], "name": "n", "match_policy": "include_any", "clauses": [POST]}
    assert ok("GET", f"filters/{data['id']}/") == data
    assert ok("GET", "filters") == [data]
    changed = ok("PUT", f"filters/{data['id']}", given(name="m", match_policy="exclude_all"))
    assert changed == {**data, "name": "m", "match_policy": "exclude_all"}
    assert ok("DELETE", f"filters/{data['id']}") == {**changed, "is_deleted": True}
    assert refused("GET", f"filters/{data['id']}") == (404, "filter-not-found")


def test_a_replaced_filter_is_that_of_its_streams():
    chosen = made_filter()
    stream = made(filter_id=chosen["id"])
    ok("PUT", f"filters/{chosen['id']}", given(name="new"))
    assert ok("GET", f"streams/{stream['id']}")["filter"]["name"] == "new"


def test_a_filter_in_use_stays():
    chosen, free = made_filter(), made_filter()
    made(filter_id=chosen["id"], key="indexer")
    assert refused("DELETE", f"filters/{chosen['id']}") == (400, "filter-in-use")
    assert "indexer" in message("DELETE", f"filters/{chosen['id']}")
    assert refused("DELETE", "filters") == (400, "filter-in-use")
    assert ok("GET", "filters") == [chosen, free]
    ok("DELETE", "streams")
    assert [one["id"] for one in ok("DELETE", "filters")] == [chosen["id"], free["id"]]


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("equals", "a"),
        ("equals", 7),
        ("equals", True),
        ("matches", "a"),
        *((operator, 7) for operator in ("lt", "le", "gt", "ge")),
        ("one_of", ["a", 7]),
        ("one_of", "$authorized_userids"),
    ],
)
@pytest.mark.parametrize("policy", ["include_any", "include_all", "exclude_any", "exclude_all"])
def test_every_operator_under_every_policy(policy, operator, value):
    made_filter(clause("/data/tags/*/name", operator, value), match_policy=policy)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"match_policy": "any"}, "match_policy"),
        ({"match_policy": None}, "match_policy"),
        ({"clauses": []}, "clauses"),
        ({"clauses": {}}, "clauses"),
        ({"clauses": [POST] * 21}, "clauses"),
        ({"name": "x" * 256}, "name"),
        ({"name": 7}, "name"),
    ],
)
def test_an_impossible_filter_is_refused_with_its_field(fields, place):
    assert refused("POST", "filters", {**given(), **fields}) == (400, "invalid-filter")
    assert message("POST", "filters", {**given(), **fields}).startswith(f"{place} ")


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        ("x", ""),
        ({**POST, "values": 1}, ".values"),
        ({**POST, "object_type": "mute"}, ".object_type"),
        ({**POST, "object_type": None}, ".object_type"),
        (clause("/data/verb", "contains", "x"), ".operator"),
        (clause("/data/verb", ["equals"], "x"), ".operator"),
        (clause("data/verb", "equals", "x"), ".field"),
        (clause("/verb", "equals", "x"), ".field"),
        (clause("/data", "equals", "x"), ".field"),
        (clause("/data/a~3", "equals", "x"), ".field"),
        (clause("/data" + "/a" * 16, "equals", "x"), ".field"),
        (clause("/data/" + "a" * 512, "equals", "x"), ".field"),
        (clause("/meta/colour", "equals", "x"), ".field"),
        (clause("/meta/type/x", "equals", "x"), ".field"),
        (clause("/data/verb", "equals", "x", "follow"), ".field"),
        (clause("/data/verb", "equals", None), ".value"),
        (clause("/data/verb", "equals", 1.5), ".value"),
        (clause("/data/verb", "equals", ["x"]), ".value"),
        (clause("/data/verb", "equals", "x" * 513), ".value"),
        (clause("/data/verb", "matches", ""), ".value"),
        (clause("/data/verb", "matches", 7), ".value"),
        (clause("/data/n", "lt", "7"), ".value"),
        (clause("/data/n", "ge", True), ".value"),
        (clause("/data/n", "one_of", []), ".value"),
        (clause("/data/n", "one_of", "x"), ".value"),
        (clause("/data/n", "one_of", ["x"] * 1001), ".value"),
        (clause("/data/n", "one_of", ["x", None]), ".value[1]"),
        (clause("/meta/is_deleted", "equals", False), ".value"),
    ],
)
def test_an_impossible_clause_is_named(bad, place):
    body = given(POST, POST, bad)
    assert refused("POST", "filters", body) == (400, "invalid-filter")
    assert message("POST", "filters", body).startswith(f"clauses[2]{place} ")


@pytest.mark.parametrize(
    "second",
    [
        clause("/data/verb", "equals", "like"),
        clause("/data/verb", "ge", 7),
        clause("/data/n", "lt", 1),
    ],
)
def test_clauses_that_cannot_hold_together_are_refused(second):
    first = POST if second["field"] == "/data/verb" else clause("/data/n", "ge", 7)
    body = given(first, second, match_policy="include_all")
    assert message("POST", "filters", body).startswith("clauses[1] contradicts")
    ok("POST", "filters", {**body, "match_policy": "include_any"})


def test_at_most_a_hundred_filters():
    for _ in range(100):
        made_filter()
    assert refused("POST", "filters", given()) == (400, "filter-limit")


def test_a_filter_has_so_many_bytes():
    some = [{**clause("/data/n", "one_of", [f"{number:0500}" for number in range(400)])}]
    ok("POST", "filters", {"name": "n", "match_policy": "include_any", "clauses": some})
    fields = {"name": "n", "match_policy": "include_any", "clauses": some * 2}
    assert refused("POST", "filters", fields)[0] == 400
