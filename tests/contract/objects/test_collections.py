"""Collections as the clients expect them."""

import uuid

import pytest


def test_an_entry_is_created_read_replaced_and_deleted(api):
    made = api.made("collections/food/", {"id": "burger", "data": {"name": "Burger"}})
    assert set(made) == {"id", "collection", "foreign_id", "data", "created_at", "updated_at"}
    assert (made["id"], made["collection"], made["foreign_id"]) == ("burger", "food", "food:burger")
    assert api.ok("GET", "collections/food/burger/") == made
    changed = api.ok("PUT", "collections/food/burger/", {"data": {"name": "B"}})
    assert changed.pop("updated_at") > made.pop("updated_at")
    assert changed == made | {"data": {"name": "B"}}
    assert api.ok("DELETE", "collections/food/burger/") == {}
    for method, body in (("GET", None), ("PUT", {"data": {"x": 1}}), ("DELETE", None)):
        assert api.refused(method, "collections/food/burger/", body) == (404, 16)


@pytest.mark.parametrize(
    "body", [{"data": {"n": 1}}, {"id": None, "data": {"n": 1}, "user_id": None}], ids=str
)
def test_an_entry_without_an_id_gets_one(api, body):
    made = api.made("collections/food/", body)
    assert made["id"] == str(uuid.UUID(made["id"]))


def test_data_are_checked_before_the_id_is_looked_for(api):
    made = api.made("collections/food/", {"id": "a", "data": {"n": 1}})
    assert api.refused("POST", "collections/food/", {"id": "a", "data": {}}) == (400, 4)
    assert api.refused("POST", "collections/food/", {"id": "a", "data": {"n": 2}}) == (409, 22)
    assert api.ok("GET", "collections/food/a/") == made


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": {}},
        {"data": None},
        {"data": "x"},
        {"id": "!abc!", "data": {"n": 1}},
        {"id": [], "data": {"n": 1}},
    ],
    ids=str,
)
def test_a_malformed_entry_is_refused(api, body):
    assert api.refused("POST", "collections/food/", body) == (400, 4)


def test_the_id_of_an_entry_stays(api):
    made = api.made("collections/food/", {"id": "a", "data": {"n": 1}})
    assert api.refused("PUT", "collections/food/a/", {"id": "b", "data": {"n": 2}}) == (400, 4)
    assert api.refused("PUT", "collections/food/a/", {"data": {}}) == (400, 4)
    assert api.ok("GET", "collections/food/a/") == made


def test_flat_items_are_stored_whole_and_selected_in_order(api):
    items = {
        "food": [{"id": "a", "name": "A", "data": {"n": 1}}, {"id": "b", "name": "B"}],
        "drink": [{"id": "a", "name": "Tea"}],
    }
    assert api.made("collections/", {"data": items}) == {"data": items}
    found = api.ok("GET", "collections/", foreign_ids="food:b,drink:a,food:none,food:a")["response"]["data"]
    assert [(entry["foreign_id"], entry["data"]) for entry in found] == [
        ("food:b", {"id": "b", "name": "B"}),
        ("drink:a", {"id": "a", "name": "Tea"}),
        ("food:a", {"id": "a", "name": "A", "data": {"n": 1}}),
    ]
    replaced = {"food": [{"id": "a", "other": True}, {"id": "b"}]}
    api.made("collections/", {"data": replaced})
    found = api.ok("GET", "collections/", foreign_ids=["food:a", "food:b"])["response"]["data"]
    assert [entry["data"] for entry in found] == [{"id": "a", "other": True}, {"id": "b"}]


def test_items_in_the_form_of_the_document_are_stored_by_their_data_and_owner(api):
    items = {
        "food": [{"id": "a", "data": {"field": "value"}, "user_id": "ann"}, {"id": "b", "data": {}}],
        "drink": [{"id": "a", "data": {"n": 1}, "user_id": None}, {"id": "c", "data": "text"}],
    }
    assert api.made("collections/", {"data": items}) == {"data": items}
    names = "food:a,food:b,drink:a,drink:c"
    found = api.ok("GET", "collections/", foreign_ids=names)["response"]["data"]
    assert [entry["data"] for entry in found] == [
        {"field": "value"},
        {},
        {"n": 1},
        {"id": "c", "data": "text"},
    ]
    changed = {"data": {"x": 1}}
    assert api.as_user("bob").refused("PUT", "collections/food/a/", changed) == (403, 17)
    assert api.as_user("bob").refused("PUT", "collections/food/b/", changed) == (403, 17)
    api.as_user("ann").ok("PUT", "collections/food/a/", changed)
    # Without a user the owner stays.
    api.made("collections/", {"data": {"food": [{"id": "a", "data": {"y": 2}}]}})
    assert api.as_user("ann").ok("PUT", "collections/food/a/", changed)["data"] == {"x": 1}


def test_one_id_twice_in_a_batch_is_refused(api):
    for items in ([{"id": "a"}, {"id": "a"}], [{"id": "a", "n": 1}, {"id": "a", "data": {"n": 2}}]):
        assert api.refused("POST", "collections/", {"data": {"food": items}}) == (400, 4)
    assert api.refused("GET", "collections/food/a/") == (404, 16)


def test_the_batch_has_another_name(api):
    items = {"food": [{"id": "a", "name": "A"}]}
    assert api.made("meta/", {"data": items}) == {"data": items}
    found = api.ok("GET", "meta/", foreign_ids="food:a")["response"]["data"]
    assert [entry["data"] for entry in found] == items["food"]
    assert found == api.ok("GET", "collections/", foreign_ids="food:a")["response"]["data"]


def test_a_thousand_entries_are_selected_at_once_and_no_more(api):
    items = [{"id": str(number), "n": number} for number in range(1000)]
    api.made("collections/", {"data": {"food": items}})
    names = [f"food:{number}" for number in range(1000)]
    found = api.ok("GET", "collections/", foreign_ids=",".join(names))["response"]["data"]
    assert [entry["data"]["n"] for entry in found] == list(range(1000))
    assert api.refused("GET", "collections/", foreign_ids=",".join([*names, "food:x"])) == (400, 4)


@pytest.mark.parametrize("ids", ["a,b,none", ["a", "b"]], ids=["joined", "repeated"])
def test_many_are_deleted(api, ids):
    api.made(
        "collections/", {"data": {"food": [{"id": "a"}, {"id": "b"}, {"id": "c"}], "drink": [{"id": "a"}]}}
    )
    assert api.ok("DELETE", "collections/", collection_name="food", ids=ids) == {}
    found = api.ok("GET", "collections/", foreign_ids="food:a,food:b,food:c,drink:a")["response"]["data"]
    assert [entry["foreign_id"] for entry in found] == ["food:c", "drink:a"]


@pytest.mark.parametrize(
    "data",
    [None, [], {"food": {}}, {"food": ["a"]}, {"food": [{"name": "x"}]}, {"a b": [{"id": "a"}]}],
    ids=str,
)
def test_malformed_batches_are_refused(api, data):
    assert api.refused("POST", "collections/", {"data": data}) == (400, 4)
    assert api.ok("GET", "collections/", foreign_ids="food:a")["response"]["data"] == []


def test_batches_name_what_they_are_about(api):
    assert api.refused("GET", "collections/", foreign_ids="food") == (400, 4)
    assert api.refused("DELETE", "collections/", ids="a") == (400, 4)
    assert api.refused("DELETE", "collections/", collection_name="food") == (400, 4)
