"""Activities wherever they are: read, replaced, changed in part, sent elsewhere, erased."""

from __future__ import annotations

import pytest

from django_stream.protocol import limits
from tests.contract.calling import Api

TIME = "2026-01-01T00:00:00.000000"
UNKNOWN = "9b5b3540-e825-11e8-8080-800016ff21e4"


def read(api: Api, *ids: str) -> list[dict]:
    return api.ok("GET", "activities/", ids=",".join(ids))["results"]


def test_activities_are_read_by_id_in_the_order_asked_for(api: Api):
    api.follow("timeline:1", "user:1")
    one, two = api.post("user:1", object="1"), api.post("user:1", object="2")
    assert read(api, one["id"], UNKNOWN, two["id"], "no-id") == [one, two]
    assert api.ok("GET", "activities", ids=[two["id"], one["id"]]) == {"results": [two, one]}


def test_activities_are_read_by_foreign_id_and_time(api: Api):
    one = api.post("user:1", foreign_id="a:1", time=TIME)
    two = api.post("user:1", foreign_id="b:1", time="2026-01-02T00:00:00")
    query = {"foreign_ids": "b:1,a:1,c:1", "timestamps": f"{two['time']},{TIME},{TIME}"}
    assert api.ok("GET", "activities/", **query) == {"results": [two, one]}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"foreign_ids": "a,b", "timestamps": TIME},
        {"foreign_ids": "a"},
        {"foreign_ids": "a", "timestamps": "x"},
        {"ids": ",".join([UNKNOWN] * 101)},
    ],
)
def test_unclear_reads_are_refused(api: Api, query):
    assert api.refused("GET", "activities/", **query) == (400, 4)


def test_an_update_replaces_all_but_the_targets_on_every_feed(api: Api):
    api.follow("timeline:1", "user:1")
    before = api.post("user:1", foreign_id="a", time=TIME, colour="red", to=["flat:1"])
    changed = {**before, "verb": "changed", "size": 1}
    del changed["colour"]
    assert api.ok("POST", "activities/", {"activities": [changed]}) == {}
    assert read(api, before["id"]) == [changed]
    assert api.page("timeline:1")[0] == {**changed, "origin": "user:1"}


def test_an_activity_that_the_server_timed_is_updated_by_what_it_answered(api: Api):
    before = api.post("user:1", foreign_id="a", time=None)
    changed = {**before, "colour": "red"}
    api.ok("POST", "activities/", {"activities": [changed]})
    assert api.page("user:1") == [changed]
    found = api.ok("GET", "activities/", foreign_ids="a", timestamps=before["time"])
    assert found == {"results": [changed]}


def test_an_update_of_an_unknown_activity_creates_it_on_no_feed(api: Api):
    body = {"activities": [{"actor": "a", "verb": "v", "object": "o", "foreign_id": "a", "time": TIME}]}
    api.ok("POST", "activities/", body)
    found = api.ok("GET", "activities/", foreign_ids="a", timestamps=TIME)["results"]
    assert [item["foreign_id"] for item in found] == ["a"]


@pytest.mark.parametrize(
    "change", [{"time": None}, {"foreign_id": ""}, {"time": "never"}, {"to": ["flat:2"]}, {"actor": ""}]
)
def test_a_bad_update_changes_nothing(api: Api, change):
    before = api.post("user:1", foreign_id="a", time=TIME, to=["flat:1"])
    good = {"actor": "z", "verb": "z", "object": "z", "foreign_id": "a", "time": TIME}
    assert api.refused("POST", "activities/", {"activities": [good, {**good, **change}]}) == (400, 4)
    assert read(api, before["id"]) == [before]


def test_single_and_batch_partial_updates(api: Api):
    one = api.post("user:1", foreign_id="a", time=TIME, shares={"facebook": 1}, popularity=9, gone=1)
    change = {"set": {"shares.googleplus": 2, "verb": "changed", "new": []}, "unset": ["gone", "never.there"]}
    expected = {**one, "shares": {"facebook": 1, "googleplus": 2}, "verb": "changed", "new": []}
    del expected["gone"]
    assert api.ok("POST", "activity/", {"id": one["id"], **change}) == expected
    two = api.post("user:1", object="2")
    changes = [
        {"id": two["id"], "set": {"colour": "red"}, "unset": None},
        {"foreign_id": "a", "time": TIME, "set": None, "unset": ["shares.facebook"]},
    ]
    answer = api.ok("POST", "activity", {"changes": changes})
    assert answer == {"activities": [{**two, "colour": "red"}, {**expected, "shares": {"googleplus": 2}}]}
    assert read(api, two["id"], one["id"]) == answer["activities"]


@pytest.mark.parametrize(
    "change",
    [
        {"set": {"missing.parent": 1}},
        {"set": {"id": "x"}},
        {"set": {"time": TIME}},
        {"set": {"foreign_id": "x"}},
        {"set": {"to": []}},
        {"set": {"origin": "x"}},
        {"set": {"actor": ""}},
        {"set": {"": 1}},
        {"set": [1]},
        {"set": {f"k{number}": 1 for number in range(26)}},
        {"unset": ["actor"]},
        {"unset": ["object"]},
        {"unset": "colour"},
        {"unset": [f"k{number}" for number in range(26)]},
        {"set": {"colour": 1}, "unset": ["colour"]},
        {"set": {"shape.size": 1}, "unset": ["shape"]},
        {"set": {"shape": {}}, "unset": ["shape.size"]},
        {"foreign_id": "a", "time": TIME, "set": {"colour": 1}},
        {"set": {"text": "x" * 10_241}},
    ],
)
def test_a_bad_partial_update_changes_nothing(api: Api, change):
    before = api.post("user:1", foreign_id="a", time=TIME, colour="red", shape={"size": 2})
    good = {"id": before["id"], "set": {"size": 1}}
    body = {"changes": [good, {"id": before["id"], **change}]}
    assert api.refused("POST", "activity/", body) == (400, 4)
    assert read(api, before["id"]) == [before]


def test_a_partial_update_names_one_known_activity(api: Api):
    assert api.refused("POST", "activity/", {"set": {"a": 1}}) == (400, 4)
    assert api.refused("POST", "activity/", {"id": "x", "set": {"a": 1}}) == (400, 4)
    assert api.refused("POST", "activity/", {"id": UNKNOWN, "set": {"a": 1}}) == (404, 16)
    changes = [{"id": UNKNOWN} for _ in range(101)]
    assert api.refused("POST", "activity/", {"changes": changes}) == (400, 4)


def retarget(api: Api, **change) -> dict:
    body = {"foreign_id": "a", "time": TIME, **change}
    return api.ok("POST", "feed_targets/user/1/activity_to_targets/", body)


def test_targets_are_replaced_added_and_removed(api: Api):
    api.follow("timeline:1", "flat:1")
    before = api.post("user:1", foreign_id="a", time=TIME, to=["flat:1", "flat:2"])
    answer = retarget(api, new_targets=["flat:2", "flat:3"])
    assert answer == {
        "activity": {**before, "to": ["flat:2", "flat:3"]},
        "added": ["flat:3"],
        "removed": ["flat:1"],
    }
    here = [feed for feed in ("flat:1", "flat:2", "flat:3", "timeline:1", "user:1") if api.ids(feed)]
    assert here == ["flat:2", "flat:3", "user:1"]
    answer = retarget(api, added_targets=["flat:1", "flat:2"], removed_targets=["flat:3", "flat:9"])
    assert (answer["added"], answer["removed"]) == (["flat:1"], ["flat:3"])
    assert api.ids("timeline:1") == [before["id"]]
    answer = retarget(api, new_targets=[])
    assert "to" not in answer["activity"]
    assert [feed for feed in ("flat:1", "flat:2", "flat:3", "timeline:1") if api.ids(feed)] == []


def test_a_list_of_changes_of_targets_happens_in_its_order_or_not_at_all(api: Api):
    path = "feed_targets/user/1/activity_to_targets/"
    for name in "ab":
        api.post("user:1", foreign_id=name, time=TIME, to=["flat:1"])

    def change(name: str, **lists: list[str]) -> dict:
        return {"foreign_id": name, "time": TIME, **lists}

    moves = [
        change("a", new_targets=["flat:2", "flat:3"]),
        change("b", added_targets=["flat:2"]),
        change("a", added_targets=["flat:1"], removed_targets=["flat:3"]),
    ]
    answer = api.ok("POST", path, moves)
    assert (answer["added"], answer["removed"]) == (["flat:2", "flat:3"], ["flat:1"])
    counts = [len(api.ids(f"flat:{number}")) for number in (1, 2, 3)]
    assert counts == [2, 2, 0]

    assert api.refused("POST", path, [change("a", new_targets=[]), change("c", new_targets=[])]) == (404, 16)
    assert [len(api.ids(f"flat:{number}")) for number in (1, 2, 3)] == counts


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, (400, 4)),
        ({"new_targets": ["flat:1"], "added_targets": ["flat:2"]}, (400, 4)),
        ({"added_targets": ["flat:1"], "removed_targets": ["flat:1"]}, (400, 4)),
        ({"new_targets": "flat:1"}, (400, 4)),
        ({"new_targets": ["nobody:1"]}, (400, 6)),
        ({"foreign_id": "other", "new_targets": ["flat:1"]}, (404, 16)),
    ],
)
def test_bad_changes_of_targets_change_nothing(api: Api, change, refusal):
    before = api.post("user:1", foreign_id="a", time=TIME, to=["flat:5"])
    body = {"foreign_id": "a", "time": TIME, **change}
    assert api.refused("POST", "feed_targets/user/1/activity_to_targets/", body) == refusal
    assert read(api, before["id"]) == [before]


def test_targets_are_changed_through_the_feed_that_was_posted_to(api: Api):
    api.post("user:1", foreign_id="a", time=TIME, to=["flat:5"])
    body = {"foreign_id": "a", "time": TIME, "new_targets": []}
    assert api.refused("POST", "feed_targets/flat/5/activity_to_targets/", body) == (404, 16)


def test_erased_activities_leave_placeholders_unless_named_feeds_drop_them(api: Api):
    api.follow("timeline:1", "user:1")
    one = api.post("user:1", actor="SU:ann", foreign_id="a", time=TIME, secret="x", to=["flat:1"])
    kept = api.post("user:1", actor="bob")
    export = api.ok("GET", "data_privacy/export_ids/ann")["export"]
    assert (export["user_id"], export["activity_count"], export["activity_ids"]) == ("ann", 1, [one["id"]])
    body = {"activities": [{"id": one["id"], "remove_from_feeds": ["flat:1"]}]}
    assert api.ok("POST", "data_privacy/delete_activities/", body) == {}
    assert read(api, one["id"]) == []
    placeholder = api.page("timeline:1")[1]
    assert placeholder == {
        "id": one["id"],
        "actor": "",
        "verb": "",
        "object": "",
        "target": "",
        "foreign_id": "",
        "origin": "user:1",
        "time": TIME,
        "is_deleted": True,
        "to": ["flat:1"],
    }
    assert api.page("flat:1") == []
    assert api.ids("timeline:1", discard_deleted_activities="true") == [kept["id"]]
    assert api.ok("GET", "data_privacy/export_ids/ann/")["export"]["activity_count"] == 0


def test_an_activity_that_is_posted_again_and_again_has_a_limit_of_targets(api: Api, monkeypatch):
    monkeypatch.setattr(limits, "TARGETS_STORED", 4)
    again = {"foreign_id": "a", "time": TIME}
    for number in (0, 2):
        stored = api.post("user:1", **again, to=[f"flat:{number}", f"flat:{number + 1}"])
    more = {"actor": "eric", "verb": "tweet", "object": "1", **again, "to": ["flat:9"]}
    assert api.refused("POST", "feed/user/1/", more) == (400, 4)
    assert read(api, stored["id"]) == [stored]
    assert api.post("user:1", **again, to=["flat:3"]) == stored


def test_targets_of_what_is_posted_again_have_a_length_together(api: Api, monkeypatch):
    monkeypatch.setattr(limits, "TARGETS_STORED_LENGTH", 20)
    again = {"foreign_id": "a", "time": TIME}
    stored = api.post("user:1", **again, to=["flat:1", "flat:2", "flat:3", "flat:4"])
    assert api.post("user:1", **again, to=["flat:1"]) == stored
    more = {"actor": "eric", "verb": "tweet", "object": "1", **again, "to": ["flat:5"]}
    assert api.refused("POST", "feed/user/1/", more) == (400, 4)
    assert read(api, stored["id"]) == [stored]


def test_an_activity_that_one_request_posts_twice_is_as_if_it_came_twice(api: Api, monkeypatch):
    again = {"actor": "eric", "verb": "tweet", "object": "1", "foreign_id": "a", "time": TIME}
    twice = [{**again, "to": ["flat:1"], "x": 1}, {**again, "to": ["flat:2", "flat:1"], "y": 2}]
    stored = api.made("feed/user/1/", {"activities": twice})["activities"]
    assert [(one["to"], one.get("x"), one["y"]) for one in stored] == [(["flat:1", "flat:2"], None, 2)] * 2
    assert read(api, stored[0]["id"]) == [stored[0]]
    assert [api.ids(feed) for feed in ("flat:1", "flat:2", "user:1")] == [[stored[0]["id"]]] * 3
    change = {"foreign_id": "a", "time": TIME, "removed_targets": ["flat:1"]}
    api.made("feed_targets/user/1/activity_to_targets/", change)
    assert api.ids("flat:1") == []
    monkeypatch.setattr(limits, "TARGETS_STORED", 2)
    more = [{**again, "foreign_id": "b", "to": [f"flat:{number}"]} for number in range(3)]
    assert api.refused("POST", "feed/user/1/", {"activities": more}) == (400, 4)
    assert api.refused("POST", "activities/", {"activities": more[:2]}) == (400, 4)
    assert api.refused("POST", "activities/", {"activities": twice}) == (400, 4)


def test_targets_beyond_the_limit_can_be_taken_off_one_by_one(api: Api, monkeypatch):
    monkeypatch.setattr(limits, "TARGETS_PER_ACTIVITY", 2)
    again = {"foreign_id": "a", "time": TIME}
    for number in range(4):
        api.post("user:1", **again, to=[f"flat:{number}"])
    path = "feed_targets/user/1/activity_to_targets/"
    api.made(path, {**again, "removed_targets": ["flat:0"]})
    assert (api.page("user:1")[0]["to"], api.ids("flat:0")) == (["flat:1", "flat:2", "flat:3"], [])
    assert api.refused("POST", path, {**again, "added_targets": ["flat:0"]}) == (400, 4)
