"""Activities on enrich/ paths carry whole objects and reaction data."""

import uuid

import pytest

from django_stream.server.models import ApiKey, Application
from tests.contract.calling import Api

FLAGS = {"withRecentReactions": "true", "withOwnReactions": "true", "withReactionCounts": "true"}


def first(api: Api, **query: object) -> dict:
    return api.enriched("user:1", **query)[0]


def test_references_in_any_field_become_objects_and_plain_text_stays(api):
    eric = api.made("user/", {"id": "eric", "data": {"name": "Eric"}})
    burger = api.made("collections/food/", {"id": "burger", "data": {"n": 1}})
    subject = api.post("user:2", actor="SU:eric", object="SO:food:burger")
    like = api.react(subject["id"])
    api.post(
        "user:1",
        actor="SU:eric",
        object="SO:food:burger",
        target=f"SA:{subject['id']}",
        foreign_id=f"SR:{like['id']}",
        custom="SU:eric",
        plain="User:1",
        other="SO:food",
        nested={"deep": "SU:eric"},
        listed=["SU:eric"],
    )
    told = first(api)
    assert told["actor"] == told["custom"] == eric
    assert told["object"] == burger
    assert told["target"] == subject | {"actor": eric, "object": burger}
    assert told["foreign_id"] == like
    assert (told["plain"], told["other"]) == ("User:1", "SO:food")
    assert (told["nested"], told["listed"]) == ({"deep": "SU:eric"}, ["SU:eric"])
    raw = api.ok("GET", "feed/user/1/")["results"][0]
    assert (raw["actor"], raw["object"]) == ("SU:eric", "SO:food:burger")


def test_missing_objects_are_told_in_their_documented_form(api):
    lost = str(uuid.uuid4())
    api.post("user:1", actor="SU:bob", object="SO:food:1:2", target=f"SA:{lost}", r=f"SR:{lost}", s="SA:x")
    told = first(api)
    error = "ReferenceNotFound"
    assert told["actor"] == {"id": "bob", "error": error, "reference": "SU:bob", "reference_type": "user"}
    assert told["object"] == {
        "id": "1:2",
        "collection": "food",
        "error": error,
        "reference": "SO:food:1:2",
        "reference_type": "object",
    }
    assert told["target"] == {
        "id": lost,
        "error": error,
        "reference": f"SA:{lost}",
        "reference_type": "activity",
    }
    assert told["r"] == {"id": lost, "error": error, "reference": f"SR:{lost}", "reference_type": "reaction"}
    assert told["s"] == {"id": "x", "error": error, "reference": "SA:x", "reference_type": "activity"}


def test_deleted_objects_are_missing_from_then_on(api):
    api.made("user/", {"id": "eric"})
    api.made("collections/food/", {"id": "a", "data": {"n": 1}})
    api.post("user:1", actor="SU:eric", object="SO:food:a")
    api.ok("DELETE", "user/eric/")
    api.ok("DELETE", "collections/food/a/")
    told = first(api)
    assert told["actor"]["error"] == told["object"]["error"] == "ReferenceNotFound"


def test_activities_that_refer_to_each_other_end(api):
    moment, body = "2026-01-01T00:00:00", {"actor": "a", "verb": "v", "object": "o"}
    one = api.post("user:1", foreign_id="1", time=moment)["id"]
    two = api.post("user:1", foreign_id="2", time=moment, object=f"SA:{one}")["id"]
    api.made(
        "activities/", {"activities": [body | {"foreign_id": "1", "time": moment, "object": f"SA:{two}"}]}
    )
    told = api.ok("GET", "enrich/activities/", ids=one)["results"][0]
    chain = []
    while isinstance(told, dict):
        chain.append(told["id"])
        told = told["object"]
    assert (chain, told) == ([one, two, one, two], f"SA:{one}")


def test_an_answer_grows_no_further_than_its_activities_justify(api):
    api.made("user/", {"id": "eric"})
    api.post("user:1", **{f"f{number}": "SU:eric" for number in range(100)})
    values = [value for name, value in first(api).items() if name.startswith("f") and name != "foreign_id"]
    assert sum(isinstance(value, dict) for value in values) == 25
    assert values.count("SU:eric") == 75


def test_without_flags_no_keys_and_with_flags_all_of_them(api):
    activity = api.post("user:1")
    assert first(api) == activity
    told = first(api, **FLAGS, withFirstReactions="true")
    empty = {
        "latest_reactions",
        "latest_reactions_extra",
        "own_reactions",
        "reaction_counts",
        "first_reactions",
    }
    assert told == activity | {key: {} for key in empty}
    assert api.ok("GET", "feed/user/1/", **FLAGS)["results"] == [activity]


def test_the_newest_five_of_each_kind_are_told_and_where_the_rest_is(api):
    activity = api.post("user:1")["id"]
    likes = [api.react(activity, "like", f"u{number}") for number in range(7)]
    claps = [api.react(activity, "clap of joy", "u") for number in range(5)]
    told = first(api, **FLAGS, withFirstReactions="true")
    assert told["latest_reactions"] == {"clap of joy": claps[::-1], "like": likes[:1:-1]}
    assert told["own_reactions"] == told["latest_reactions"]
    assert told["first_reactions"] == {"like": likes[:5], "clap of joy": claps}
    assert told["reaction_counts"] == {"like": 7, "clap of joy": 5}
    extra = told["latest_reactions_extra"]
    assert extra["clap of joy"] == {"next": ""}
    assert extra["like"]["next"].startswith("http")
    address, _, query = extra["like"]["next"].partition("/api/v1.0/")[2].partition("?")
    assert address == f"reaction/activity_id/{activity}/like/"
    parameters = dict(pair.split("=") for pair in query.split("&"))
    assert parameters == {"id_lt": likes[2]["id"], "limit": "5", "withOwnChildren": "false"}
    rest = api.ok("GET", address, **parameters)["results"]
    assert rest == likes[1::-1]


def test_the_number_of_recent_reactions_is_the_readers_choice_up_to_a_limit(api):
    activity = api.post("user:1")["id"]
    for _ in range(26):
        api.react(activity)
    for name, given, shown in (
        ("recentReactionsLimit", 2, 2),
        ("recent_reactions_limit", 25, 25),
        ("reaction_limit", 100, 25),
    ):
        told = first(api, withRecentReactions="true", **{name: given})
        assert len(told["latest_reactions"]["like"]) == shown
    query = {"withRecentReactions": "true", "recentReactionsLimit": "x"}
    assert api.refused("GET", "enrich/feed/user/1/", **query) == (400, 4)


@pytest.mark.parametrize(
    "query",
    [
        {"reactionKindsFilter": "like, clap,,"},
        {"reaction_kinds_filter": "like,clap"},
        {"reactionKindsFilter[]": ["like", "clap"]},
    ],
    ids=str,
)
def test_kinds_restrict_everything(api, query):
    activity = api.post("user:1")["id"]
    for kind in ("like", "clap", "comment"):
        api.react(activity, kind)
    told = first(api, **FLAGS, **query)
    for name in ("latest_reactions", "own_reactions", "latest_reactions_extra", "reaction_counts"):
        assert set(told[name]) == {"like", "clap"}


def test_children_are_listed_below_and_counted_nowhere_else(api):
    activity = api.post("user:1")["id"]
    comment = api.react(activity, "comment")
    hers = api.answer_to(comment["id"], "like", "eve")
    his = api.answer_to(comment["id"], "like", "bob")
    told = first(api, **FLAGS, withOwnChildren="true", user_id="bob")
    assert told["reaction_counts"] == {"comment": 1}
    shown = told["latest_reactions"]["comment"][0]
    assert shown["children_counts"] == {"like": 2}
    assert [child["id"] for child in shown["latest_children"]["like"]] == [his["id"], hers["id"]]
    assert [child["id"] for child in shown["own_children"]["like"]] == [his["id"]]
    assert shown["own_children"]["like"][0]["own_children"] == {}
    assert (
        first(api, **FLAGS, withOwnChildren="true", withOwnChildrenKinds="x")["latest_reactions"]["comment"][
            0
        ]["own_children"]
        == {}
    )


def test_activities_by_id_and_in_groups_are_enriched_alike(api):
    eric = api.made("user/", {"id": "eric"})
    activity = api.post("notification:1", actor="SU:eric")
    like = api.react(activity["id"])
    by_id = api.ok("GET", "enrich/activities/", ids=activity["id"], **FLAGS)["results"][0]
    in_group = api.enriched("notification:1", **FLAGS)[0]["activities"][0]
    assert by_id == in_group
    assert (by_id["actor"], by_id["own_reactions"], by_id["reaction_counts"]) == (
        eric,
        {"like": [like]},
        {"like": 1},
    )


def test_counts_stay_at_nothing_after_the_last_one_goes(api):
    activity = api.post("user:1")["id"]
    api.ok("DELETE", f"reaction/{api.react(activity)['id']}/")
    told = first(api, **FLAGS)
    assert (told["reaction_counts"], told["latest_reactions"]) == ({"like": 0}, {})


def test_applications_see_nothing_of_each_other(api):
    key = ApiKey.objects.create(application=Application.objects.create())
    other = api.with_key(key.key, key.secret())
    api.made("user/", {"id": "eric"})
    api.made("collections/food/", {"id": "a", "data": {"n": 1}})
    activity = api.post(
        "user:1", actor="SU:eric", object="SO:food:a", foreign_id="1", time="2026-01-01T00:00:00"
    )
    like = api.react(activity["id"], id="chosen")
    mine = other.post(
        "user:1",
        actor="SU:eric",
        object="SO:food:a",
        foreign_id="1",
        time="2026-01-01T00:00:00",
        r="SR:chosen",
    )
    assert mine["id"] == activity["id"]
    told = first(other, **FLAGS)
    for name in ("actor", "object", "r"):
        assert told[name]["error"] == "ReferenceNotFound"
    assert (told["latest_reactions"], told["own_reactions"], told["reaction_counts"]) == ({}, {}, {})
    assert other.refused("GET", f"reaction/{like['id']}/") == (404, 16)
    assert other.refused("DELETE", f"reaction/{like['id']}/") == (404, 16)
    assert other.ok("GET", f"reaction/activity_id/{activity['id']}/")["results"] == []
    assert other.ok("GET", "reaction/reaction_id/chosen/")["results"] == []
    body = {"kind": "like", "parent": "chosen", "user_id": "bob"}
    assert other.refused("POST", "reaction/", body) == (400, 4)
    assert other.react(activity["id"], id="chosen")["id"] == "chosen"
    other.ok("DELETE", "reaction/chosen/")
    assert other.refused("GET", "user/eric/") == other.refused("GET", "collections/food/a/") == (404, 16)
    assert api.ok("GET", "reaction/chosen/") == like
