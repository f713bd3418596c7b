"""User tokens act for their user alone; what belongs to somebody else is refused and unchanged."""

import pytest

from tests.contract.calling import Api

ANYTHING = "ed2837a6-0a3b-4679-adc1-778a1704852d"
DENIED = (403, 17)


@pytest.fixture
def bob(api: Api) -> Api:
    return api.as_user("bob")


@pytest.fixture
def eve(api: Api) -> Api:
    return api.as_user("eve")


def test_a_reaction_is_its_token_holders(bob, eve):
    made = bob.react(ANYTHING, user=None)
    assert made["user_id"] == "bob"
    assert bob.react(ANYTHING)["user_id"] == "bob"
    body = {"kind": "like", "activity_id": ANYTHING, "user_id": "eve"}
    assert bob.refused("POST", "reaction/", body) == DENIED
    assert eve.ok("GET", "reaction/user_id/eve/")["results"] == []
    assert eve.ok("GET", f"reaction/{made['id']}/") == made


def test_reactions_are_changed_by_their_makers_only(bob, eve):
    made = bob.react(ANYTHING, data={"n": 1})
    path = f"reaction/{made['id']}/"
    assert eve.refused("PUT", path, {"data": {}}) == DENIED
    assert eve.refused("DELETE", path) == DENIED
    assert eve.refused("DELETE", path, soft="true") == DENIED
    assert bob.ok("GET", path) == made
    bob.ok("DELETE", path, soft="true")
    assert eve.refused("PUT", f"{path}restore/") == DENIED
    bob.ok("PUT", f"{path}restore/")
    assert bob.ok("PUT", path, {"data": {"n": 2}})["data"] == {"n": 2}
    bob.ok("DELETE", path)
    assert eve.refused("DELETE", path) == (404, 16)


def test_children_may_be_added_to_anybodys_reaction(bob, eve):
    comment = bob.react(ANYTHING, "comment")
    child = eve.made("reaction/", {"kind": "like", "parent": comment["id"]})
    assert (child["user_id"], child["parent"]) == ("eve", comment["id"])


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("user:bob", True),
        ("timeline:bob", True),
        ("notification:eve", True),
        ("timeline:eve", False),
        ("user:eve", False),
    ],
)
def test_a_reaction_tells_itself_only_where_its_maker_may_post(api, bob, target, allowed):
    made = bob.react(ANYTHING)
    body = {"kind": "like", "activity_id": ANYTHING, "target_feeds": [target]}
    change = {"data": {}, "target_feeds": [target]}
    if allowed:
        bob.made("reaction/", body)
        bob.ok("PUT", f"reaction/{made['id']}/", change)
        return
    assert bob.refused("POST", "reaction/", body) == DENIED
    assert bob.refused("PUT", f"reaction/{made['id']}/", change) == DENIED
    assert api.ok("GET", f"feed/{target.replace(':', '/')}/")["results"] == []


def test_own_reactions_are_the_readers_or_those_of_whom_it_names(api, bob, eve):
    activity = api.post("user:1")["id"]
    his, hers = bob.react(activity), eve.react(activity, user="eve")
    assert bob.enriched("user:1", withOwnReactions="true")[0]["own_reactions"] == {"like": [his]}
    assert eve.enriched("user:1", withOwnReactions="true")[0]["own_reactions"] == {"like": [hers]}
    assert bob.enriched("user:1", withOwnReactions="true", user_id="eve")[0]["own_reactions"] == {
        "like": [hers]
    }
    assert api.enriched("user:1", with_own_reactions="1", user_id="bob")[0]["own_reactions"] == {
        "like": [his]
    }
    assert api.enriched("user:1", withOwnReactions="true")[0]["own_reactions"] == {"like": [hers, his]}


def test_users_create_and_change_themselves_and_read_anybody(api, bob):
    bob.made("user/", {"id": "bob"})
    assert bob.refused("POST", "user/", {"id": "eve"}) == DENIED
    assert bob.refused("PUT", "user/eve/", {"data": {}}) == (404, 16)
    eve = api.made("user/", {"id": "eve", "data": {"n": 1}})
    assert bob.refused("PUT", "user/eve/", {"data": {}}) == DENIED
    assert bob.refused("DELETE", "user/eve/") == DENIED
    assert bob.ok("GET", "user/eve/") == eve
    bob.ok("PUT", "user/bob/", {"data": {"n": 2}})
    bob.ok("DELETE", "user/bob/")


def test_entries_are_read_by_anybody_and_changed_by_their_owners(api, bob, eve):
    made = bob.made("collections/food/", {"id": "a", "data": {"n": 1}})
    api.made("collections/food/", {"id": "ours", "data": {"n": 1}})
    assert eve.ok("GET", "collections/food/a/") == made
    for entry in ("a", "ours"):
        assert eve.refused("PUT", f"collections/food/{entry}/", {"data": {"n": 2}}) == DENIED
        assert eve.refused("DELETE", f"collections/food/{entry}/") == DENIED
    assert bob.refused("POST", "collections/food/", {"data": {"n": 1}, "user_id": "eve"}) == DENIED
    assert eve.ok("GET", "collections/food/a/") == made
    bob.ok("PUT", "collections/food/a/", {"data": {"n": 2}})
    bob.ok("DELETE", "collections/food/a/")
    given = api.made("collections/food/", {"id": "gift", "data": {"n": 1}, "user_id": "eve"})
    eve.ok("DELETE", f"collections/food/{given['id']}/")
