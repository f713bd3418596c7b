"""Reactions tell of themselves on other feeds."""

from tests.contract.calling import Api


def plain(api: Api, feed: str) -> list[dict]:
    return list(api.ok("GET", f"feed/{feed.replace(':', '/')}/")["results"])


def test_a_reaction_is_one_activity_on_every_target(api):
    activity = api.post("user:1")
    like = api.react(
        activity["id"],
        "like",
        "bob",
        target_feeds=["user:bob", "timeline:eve"],
        target_feeds_extra_data={"note": "hi", "actor": "nobody"},
    )
    assert like["target_feeds"] == ["user:bob", "timeline:eve"]
    assert like["target_feeds_extra_data"] == {"note": "hi", "actor": "nobody"}
    (told,) = plain(api, "user:bob")
    assert told == {
        "id": told["id"],
        "actor": "SU:bob",
        "verb": "like",
        "object": f"SA:{activity['id']}",
        "target": "",
        "origin": None,
        "foreign_id": f"reaction:{like['id']}",
        "time": like["created_at"].removesuffix("Z"),
        "reaction": f"SR:{like['id']}",
        "note": "hi",
    }
    assert plain(api, "timeline:eve") == [told]
    read = api.ok("GET", f"reaction/{like['id']}/")
    assert read["target_feeds"] == like["target_feeds"]
    assert "target_feeds_extra_data" not in read


def test_followers_of_a_target_receive_it_too(api):
    api.made("feed/timeline/ada/follows/", {"target": "user:bob"})
    api.react(api.post("user:1")["id"], target_feeds=["user:bob"])
    assert [item["origin"] for item in plain(api, "timeline:ada")] == ["user:bob"]


def test_a_childs_activity_is_about_the_activity(api):
    activity = api.post("user:1")
    comment = api.react(activity["id"], "comment")
    api.answer_to(comment["id"], "like", "eve", target_feeds=["notification:bob"])
    (group,) = plain(api, "notification:bob")
    assert group["activities"][0]["object"] == f"SA:{activity['id']}"


def test_an_update_moves_it_and_none_takes_it_away(api):
    like = api.react(api.post("user:1")["id"], target_feeds=["user:a", "user:b"])
    before = plain(api, "user:b")
    path = f"reaction/{like['id']}/"
    moved = api.ok(
        "PUT",
        path,
        {"data": {}, "target_feeds": ["user:b", "user:c"], "target_feeds_extra_data": {"n": 2}},
        status=201,
    )
    assert (moved["target_feeds"], moved["target_feeds_extra_data"]) == (["user:b", "user:c"], {"n": 2})
    assert plain(api, "user:a") == []
    assert plain(api, "user:b") == plain(api, "user:c") == [before[0] | {"n": 2}]
    for nothing in ({}, {"target_feeds": None}, {"target_feeds": []}):
        changed = api.ok("PUT", path, {"data": {}} | nothing)
        assert "target_feeds" not in changed
        assert plain(api, "user:b") == plain(api, "user:c") == []


def test_deleting_takes_it_away_and_restoring_puts_it_back(api):
    like = api.react(api.post("user:1")["id"], target_feeds=["user:a"], target_feeds_extra_data={"n": 1})
    before = plain(api, "user:a")
    api.ok("DELETE", f"reaction/{like['id']}/", soft="true")
    assert plain(api, "user:a") == []
    api.ok("PUT", f"reaction/{like['id']}/restore/")
    assert plain(api, "user:a") == before
    api.ok("DELETE", f"reaction/{like['id']}/")
    assert plain(api, "user:a") == []


def test_deleting_a_parent_takes_the_activities_of_its_children_away(api):
    comment = api.react(api.post("user:1")["id"], "comment", target_feeds=["user:a"])
    api.answer_to(comment["id"], "like", "eve", target_feeds=["user:a", "user:b"])
    assert (len(plain(api, "user:a")), len(plain(api, "user:b"))) == (2, 1)
    api.ok("DELETE", f"reaction/{comment['id']}/", soft="true")
    assert plain(api, "user:a") == plain(api, "user:b") == []
    api.ok("PUT", f"reaction/{comment['id']}/restore/")
    assert (len(plain(api, "user:a")), len(plain(api, "user:b"))) == (2, 1)


def test_extra_data_beyond_the_size_of_an_activity_refuse_the_reaction(api):
    activity = api.post("user:1")["id"]
    body = {
        "kind": "like",
        "activity_id": activity,
        "user_id": "bob",
        "target_feeds": ["user:a"],
        "target_feeds_extra_data": {"x": "y" * 11_000},
    }
    assert api.refused("POST", "reaction/", body) == (400, 4)
    assert api.ok("GET", "reaction/user_id/bob/")["results"] == plain(api, "user:a") == []


def test_on_the_enriched_feed_the_reaction_is_whole(api):
    api.made("user/", {"id": "bob", "data": {"name": "Bob"}})
    activity = api.post("user:1")
    like = api.react(activity["id"], target_feeds=["notification:eric"], target_feeds_extra_data={"n": 1})
    (group,) = api.enriched("notification:eric", withReactionCounts="true", withRecentReactions="true")
    told = group["activities"][0]
    del like["target_feeds_extra_data"]
    assert told["reaction"] == like
    assert told["actor"] == like["user"]
    assert (told["reaction_counts"], told["latest_reactions"]) == ({}, {})
    assert told["object"]["id"] == activity["id"]
    assert told["object"]["reaction_counts"] == {"like": 1}
    assert told["object"]["latest_reactions"] == {"like": [like]}
