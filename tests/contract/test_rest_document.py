"""The examples of the REST document, sent as they are written there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.calling import SUCCESS, Api, token

STORY = {"actor": "user:789", "verb": "post", "object": "story:abc123", "foreign_id": "story:123"}
AT = {"time": "2017-02-23T22:57:07.099Z"}
UNKNOWN = "65bca63a-7d61-48e8-be9d-c6665a008196"
# What an example is about is there already; `{reaction}` stands for the id of bob's reaction.
EXAMPLES: dict[str, tuple[Any, ...]] = {
    "activities: update": (
        "POST",
        "activities/",
        {"activities": [{**STORY, **AT, "message": "My new message"}]},
    ),
    "activities: by id": (
        "GET",
        "activities/?ids=4ef6ee4e-79f1-11e8-8080-8001277e7b5f,ae41abaa-a1fe-4186-861a-bd244fe5997d",
    ),
    "activities: by foreign id": (
        "GET",
        "activities/?foreign_ids=like:2,post:3&timestamps=2018-07-08T14:09:36.000000,2018-07-09T20:30:40.000000",
    ),
    "activity: partial update": (
        "POST",
        "activity/",
        {
            "changes": [
                {
                    "foreign_id": "story:123",
                    **AT,
                    "set": {"product": {"sku": 123, "name": "zoo"}, "colors.red.hex": "FF0000"},
                    "unset": ["popularity", "price.usd"],
                }
            ]
        },
    ),
    "feed: read": ("GET", "feed/aggregated/123/"),
    "feed: add": ("POST", "feed/flat/123/", {**STORY, **AT, "message": "My Example Post"}),
    "feed: remove": ("DELETE", "feed/flat/789/abc123/?foreign_id=1"),
    "followers": ("GET", "feed/flat/123/followers/"),
    "follows": ("GET", "feed/flat/123/follows/"),
    "follow": ("POST", "feed/flat/123/follows/?activity_copy_limit=100", {"target": "flat:789"}),
    "unfollow": ("DELETE", "feed/flat/123/follows/flat:789/"),
    "unfollow by the other name": ("DELETE", "feed/flat/123/following/flat:789/"),
    "add to many": (
        "POST",
        "feed/add_to_many/",
        {
            "feeds": ["flat:123", "flat:789"],
            "activity": {"actor": "User:2", "verb": "pin", "object": "Place:42", "target": "Board:1"},
        },
    ),
    "follow many": (
        "POST",
        "follow_many/?activity_copy_limit=300",
        [{"source": "flat:123", "target": "flat:456"}, {"source": "flat:123", "target": "flat:798"}],
    ),
    "reaction: add": (
        "POST",
        "reaction/",
        {"user_id": "bob", "kind": "like", "activity_id": UNKNOWN, "data": {"extra": "data"}},
        "bob",
    ),
    "reaction: read": ("GET", "reaction/{reaction}/", None, "bob"),
    "reaction: update": ("PUT", "reaction/{reaction}/", {"data": {"extra": "modified"}}, "bob"),
    "reaction: delete": ("DELETE", "reaction/{reaction}/", None, "bob"),
    "reactions of a user": ("GET", "reaction/user_id/bob/?id_lte={reaction}", None, "bob"),
    "collection: add": ("POST", "collections/col2/", {"data": {"extra": "fields", "flag": False}}, "bob"),
    "collection: read": ("GET", "collections/col1/123/", None, "bob"),
    "collection: update": ("PUT", "collections/col1/123/", {"data": {"modified": True}}, "bob"),
    "collection: delete": ("DELETE", "collections/col1/123/", None, "bob"),
    "collections: read": ("GET", "collections/?foreign_ids=col1:id1,col2:id2,col3:id5"),
    "collections: upsert": (
        "POST",
        "collections/",
        {
            "data": {
                "col1": [
                    {"id": "id1", "data": {"field": "value", "flag": False}, "user_id": "user1"},
                    {"id": "id2", "data": {"field": "modify"}},
                ],
                "collection3": [{"id": "id5", "data": {"user": "data"}}],
            }
        },
    ),
    "collections: delete": ("DELETE", "collections/?collection_name=col1&ids=id1,id2"),
    "user: add": ("POST", "user/", {"id": "carl", "data": {"extra": "fields", "flag": False}}),
    "user: read": ("GET", "user/bob/", None, "bob"),
    "user: update": ("PUT", "user/bob/", {"data": {"modified": True}}, "bob"),
    "user: delete": ("DELETE", "user/bob/", None, "bob"),
}


@pytest.fixture
def world(api: Api) -> dict[str, str]:
    """What the examples are about."""
    api.post("user:789", **STORY | AT, colors={"red": {}}, popularity=1, price={"usd": 1})
    api.made("user/", {"id": "bob", "data": {}})
    api.as_user("bob").made("collections/col1/", {"id": "123", "data": {"extra": "fields"}})
    return {"reaction": api.react(UNKNOWN)["id"]}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_answered(api: Api, world: dict[str, str], name: str):
    method, path, body, user = (*EXAMPLES[name], None, None)[:4]
    where, _, query = path.format(**world).partition("?")
    caller = api if user is None else api.as_user(user)
    parameters = dict(pair.split("=") for pair in query.split("&")) if query else {}
    answer = caller.call(method, where, body, **parameters)
    assert answer.status == SUCCESS[method], answer.body
    assert answer.body["duration"].endswith("ms")


def test_the_answer_of_a_deletion_is_an_object_with_nothing_but_its_duration(api: Api, world: dict[str, str]):
    for path in (f"reaction/{world['reaction']}/", "collections/col1/123/", "user/bob/"):
        assert api.ok("DELETE", path) == {}


def test_a_token_comes_without_the_word_bearer(api: Api):
    assert api.refused("GET", "feed/user/1/", auth=f"Bearer {token()}") == (401, 3)


def test_the_resource_of_a_token_names_the_endpoints_of_the_document(api: Api):
    endpoints = {
        "activities": ("GET", "activities/", {"ids": UNKNOWN}),
        "feed": ("GET", "feed/user/1/", {}),
        "follower": ("GET", "feed/user/1/followers/", {}),
    }
    for resource in (*endpoints, "*"):
        auth = token({"resource": resource, "action": "read", "feed_id": "*"})
        for name, (method, path, query) in endpoints.items():
            answer = api.call(method, path, auth=auth, **query)
            assert (answer.status == 200) is (resource in (name, "*")), (resource, name)


def test_reactions_are_enriched_under_their_own_address_only(api: Api):
    api.post("user:1")
    asked = {"withRecentReactions": "true", "withOwnReactions": "true", "withReactionCounts": "true"}
    assert not {"latest_reactions", "own_reactions", "reaction_counts"} & set(api.page("user:1", **asked)[0])
    assert {"latest_reactions", "own_reactions", "reaction_counts"} <= set(api.enriched("user:1", **asked)[0])


def test_a_user_token_reaches_no_user_feed_of_others_by_a_reaction(api: Api, world: dict[str, str]):
    body = {"data": {"extra": "modified"}, "target_feeds": ["user:jimmy"]}
    path = f"reaction/{world['reaction']}/"
    assert api.as_user("bob").refused("PUT", path, body) == (403, 17)
    assert api.ok("PUT", path, body)["target_feeds"] == ["user:jimmy"]


def test_bounds_of_both_sides_are_a_window(api: Api):
    for hour in range(4):
        api.post("user:1", time=f"2026-01-01T0{hour}:00:00")
    newest = api.ids("user:1")
    assert api.ids("user:1", id_lt=newest[0], id_gt=newest[3]) == newest[1:3]


def test_at_most_100_are_updated_changed_or_read_at_once(api: Api):
    many = [{**STORY, "foreign_id": str(number), **AT} for number in range(101)]
    assert api.refused("POST", "activities/", {"activities": many}) == (400, 4)
    made = api.ok("POST", "feed/user/1/", {"activities": many[:100]})["activities"]
    changes = [{"id": one["id"], "set": {"size": 1}} for one in [*made, made[0]]]
    assert api.refused("POST", "activity/", {"changes": changes}) == (400, 4)
    assert len(api.ok("POST", "activity/", {"changes": changes[:100]})["activities"]) == 100
    ids = ",".join(one["id"] for one in made)
    assert len(api.ok("GET", "activities/", ids=ids)["results"]) == 100
    assert api.refused("GET", "activities/", ids=f"{ids},{UNKNOWN}") == (400, 4)
    times = ",".join([AT["time"]] * 101)
    names = ",".join(one["foreign_id"] for one in many)
    assert api.refused("GET", "activities/", foreign_ids=names, timestamps=times) == (400, 4)


def test_the_time_of_an_activity_stays(api: Api):
    made = api.post("user:1", **STORY | AT)
    moved = {**made, "time": "2017-02-24T00:00:00", "verb": "changed"}
    api.ok("POST", "activities/", {"activities": [moved]})
    assert api.page("user:1") == [made]
    assert api.refused("POST", "activity/", {"id": made["id"], "set": {"time": moved["time"]}}) == (400, 4)


def test_a_user_token_may_have_more_fields(api: Api):
    auth = token({"user_id": "bob_johnson_1", "user_group": "admins"})
    api.ok("GET", "feed/timeline/bob_johnson_1/", auth=auth)
    assert api.refused("GET", "feed/timeline/another/", auth=auth) == (403, 17)


def test_reactions_are_bounded_on_one_side(api: Api):
    ids = [api.react(UNKNOWN)["id"] for _ in range(3)]
    path = f"reaction/activity_id/{UNKNOWN}/"
    assert api.refused("GET", path, id_lt=ids[2], id_gt=ids[0]) == (400, 8)
    assert api.refused("GET", path, id_lte=ids[2], id_gte=ids[0]) == (400, 8)
