"""Users as the clients expect them."""

import pytest


def test_a_user_is_created_read_replaced_and_deleted(api):
    made = api.made("user/", {"id": "eric", "data": {"name": "Eric", "age": 3}})
    assert set(made) == {"id", "data", "created_at", "updated_at"}
    assert (made["id"], made["data"]) == ("eric", {"name": "Eric", "age": 3})
    assert made["created_at"] == made["updated_at"]
    assert api.ok("GET", "user/eric/") == made
    changed = api.ok("PUT", "user/eric/", {"data": {"name": "E"}})
    assert changed.pop("updated_at") > made.pop("updated_at")
    assert changed == made | {"data": {"name": "E"}}
    assert api.ok("DELETE", "user/eric/") == {}
    assert api.refused("GET", "user/eric/") == (404, 16)


def test_a_second_creation_conflicts_or_answers_the_first(api):
    made = api.made("user/", {"id": "eric", "data": {"name": "Eric"}})
    assert api.refused("POST", "user/", {"id": "eric", "data": {}}) == (409, 22)
    assert api.refused("POST", "user/", {"id": "eric"}, get_or_create="False") == (409, 22)
    for flag in ("true", "True", "1"):
        assert api.made("user/", {"id": "eric", "data": {"other": 1}}, get_or_create=flag) == made
    assert api.ok("GET", "user/eric/") == made


def test_no_data_are_empty_data(api):
    assert api.made("user/", {"id": "eric", "data": None})["data"] == {}
    assert api.made("user/", {"id": "ann"})["data"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ""},
        {"id": None},
        {"id": "x" * 256},
        {"id": []},
        {"id": "a", "data": "x"},
        {"id": "a", "data": []},
    ],
    ids=str,
)
def test_a_malformed_user_is_refused(api, body):
    assert api.refused("POST", "user/", body) == (400, 4)
    assert api.refused("GET", "user/a/") == (404, 16)


@pytest.mark.parametrize("body", [{}, {"data": None}], ids=str)
def test_a_change_without_data_erases_nothing(api, body):
    made = api.made("user/", {"id": "ann", "data": {"name": "Ann"}})
    assert api.refused("PUT", "user/ann/", body) == (400, 4)
    assert api.ok("GET", "user/ann/") == made
    assert api.ok("PUT", "user/ann/", {"data": {}})["data"] == {}


def test_malformed_data_change_nothing(api):
    made = api.made("user/", {"id": "eric", "data": {"name": "Eric"}})
    assert api.refused("PUT", "user/eric/", {"data": "x"}) == (400, 4)
    assert api.ok("GET", "user/eric/") == made


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_user_is_not_found(api, method):
    assert api.refused(method, "user/nobody/", {"data": {}} if method == "PUT" else None) == (404, 16)


def test_ids_may_hold_what_paths_do(api):
    made = api.made("user/", {"id": "org/eric@example.com"})
    assert made["id"] == "org/eric@example.com"
    assert api.ok("GET", "user/org/eric@example.com/") == made


def test_follow_counts_are_between_timelines_and_user_feeds(api):
    api.made("user/", {"id": "eric"})
    pairs = [("timeline:eric", "user:a"), ("timeline:eric", "user:b"), ("timeline:a", "user:eric")]
    for source, target in [*pairs, ("notification:eric", "user:a"), ("timeline:eric", "timeline:a")]:
        api.made(f"feed/{source.replace(':', '/')}/follows/", {"target": target})
    told = api.ok("GET", "user/eric/", with_follow_counts="true")
    assert (told["following_count"], told["followers_count"]) == (2, 1)
    assert "following_count" not in api.ok("GET", "user/eric/")


def test_many_are_created_read_and_deleted(api):
    first = api.made("users/", {"users": [{"id": "a", "data": {"n": 1}}, {"id": "b"}]})["created_users"]
    assert [(user["id"], user["data"]) for user in first] == [("a", {"n": 1}), ("b", {})]
    again = {"users": [{"id": "a", "data": {"n": 2}}, {"id": "c"}]}
    kept = api.made("users/", again)["created_users"]
    assert [(user["id"], user["data"]) for user in kept] == [("a", {"n": 1}), ("c", {})]
    replaced = api.made("users/", again | {"override": True})["created_users"]
    assert [(user["id"], user["data"]) for user in replaced] == [("a", {"n": 2}), ("c", {})]
    found = api.ok("GET", "users/", ids="c,nobody,a")["users"]
    assert [user["id"] for user in found] == ["c", "a"]
    assert api.ok("DELETE", "users/", ids="a,nobody") == {"deleted_user_ids": ["a", "nobody"]}
    assert [user["id"] for user in api.ok("GET", "users/", ids="a,b,c")["users"]] == ["b", "c"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"users": {}},
        {"users": ["a"]},
        {"users": [{}]},
        {"users": [{"id": "a"}] * 101},
        {"users": [], "override": 1},
    ],
    ids=lambda body: str(body)[:30],
)
def test_malformed_batches_are_refused(api, body):
    assert api.refused("POST", "users/", body) == (400, 4)
    assert api.refused("GET", "user/a/") == (404, 16)


def test_a_batch_read_names_whom(api):
    assert api.refused("GET", "users/") == (400, 4)
    assert api.refused("DELETE", "users/", ids="") == (400, 4)


@pytest.mark.parametrize(("override", "stored"), [(False, 1), (True, 2)])
def test_a_user_whom_one_request_adds_twice_is_as_if_two_requests_did(api, override, stored):
    twice = [{"id": "a", "data": {"n": number}} for number in (1, 2)]
    [made] = api.made("users/", {"users": twice, "override": override})["created_users"]
    assert made["data"] == {"n": stored}
    assert api.ok("GET", "users/", ids="a")["users"] == [made]
