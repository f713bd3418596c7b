"""Reactions as the clients expect them."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from django_stream.server.actions.reactions import prune_places
from tests.contract.calling import Api

ANYTHING = "ed2837a6-0a3b-4679-adc1-778a1704852d"


def listed(api: Api, path: str, **query: object) -> list[str]:
    return [reaction["id"] for reaction in api.ok("GET", f"reaction/{path}/", **query)["results"]]


def ids_of(page: dict[str, object]) -> list[str]:
    return [reaction["id"] for reaction in page["results"]]


def test_a_reaction_is_answered_in_its_documented_form(api):
    made = api.react(ANYTHING, "comment", "eric", data={"text": "Hello"})
    assert set(made) == {
        "id",
        "kind",
        "activity_id",
        "user_id",
        "user",
        "data",
        "created_at",
        "updated_at",
        "parent",
        "latest_children",
        "children_counts",
    }
    assert uuid.UUID(made["id"]).version == 4
    assert made["created_at"] == made["updated_at"]
    assert made["created_at"].endswith("Z")
    assert (made["kind"], made["activity_id"], made["user_id"]) == ("comment", ANYTHING, "eric")
    assert (made["data"], made["parent"]) == ({"text": "Hello"}, "")
    assert (made["latest_children"], made["children_counts"]) == ({}, {})
    assert api.ok("GET", f"reaction/{made['id']}/") == made


def test_somebody_without_a_profile_exists_since_their_first_reaction(api):
    first = api.react(ANYTHING)
    again = api.react(ANYTHING)
    assert again["user"] == {
        "id": "bob",
        "created_at": first["created_at"],
        "updated_at": first["created_at"],
    }
    assert api.refused("GET", "user/bob/") == (404, 16)
    profile = api.made("user/", {"id": "bob", "data": {"name": "Bob"}})
    assert api.ok("GET", f"reaction/{first['id']}/")["user"] == profile


@pytest.mark.parametrize(
    "body",
    [
        {"activity_id": ANYTHING, "user_id": "a"},
        {"kind": "", "activity_id": ANYTHING, "user_id": "a"},
        {"kind": "x" * 256, "activity_id": ANYTHING, "user_id": "a"},
        {"kind": "like", "user_id": "a"},
        {"kind": "like", "activity_id": "12", "user_id": "a"},
        {"kind": "like", "activity_id": ANYTHING},
        {"kind": "like", "activity_id": ANYTHING, "user_id": "a", "data": "text"},
        {"kind": "like", "activity_id": ANYTHING, "user_id": "a", "data": []},
        {"kind": "like", "activity_id": ANYTHING, "user_id": "a", "data": {"x": "y" * 70_000}},
        {"kind": "like", "parent": "none", "user_id": "a"},
        {"kind": "like", "parent": ANYTHING, "user_id": "a"},
        {"kind": "like", "activity_id": ANYTHING, "user_id": "a", "target_feeds": ["user"]},
        {"kind": "like", "activity_id": ANYTHING, "user_id": "a", "target_feeds": "user:1"},
        {
            "kind": "like",
            "activity_id": ANYTHING,
            "user_id": "a",
            "target_feeds": [f"user:{n}" for n in range(21)],
        },
    ],
    ids=lambda body: ",".join(f"{name}={str(value)[:12]}" for name, value in body.items()),
)
def test_a_malformed_reaction_is_refused(api, body):
    assert api.refused("POST", "reaction/", body) == (400, 4)
    assert listed(api, f"activity_id/{ANYTHING}") == []


def test_a_target_feed_of_no_group_is_refused(api):
    body = {"kind": "like", "activity_id": ANYTHING, "user_id": "a", "target_feeds": ["nothing:1"]}
    assert api.refused("POST", "reaction/", body) == (400, 6)
    assert listed(api, f"activity_id/{ANYTHING}") == []


def test_a_client_may_choose_the_id_once(api):
    chosen = str(uuid.uuid4())
    assert api.react(ANYTHING, id=chosen)["id"] == chosen
    body = {"kind": "like", "activity_id": ANYTHING, "user_id": "eve", "id": chosen}
    assert api.refused("POST", "reaction/", body) == (409, 22)
    assert api.ok("GET", f"reaction/{chosen}/")["user_id"] == "bob"
    assert listed(api, f"activity_id/{ANYTHING}") == [chosen]


def test_an_update_replaces_the_data_and_nothing_else(api):
    made = api.react(ANYTHING, "comment", data={"text": "1", "more": True})
    changed = api.ok("PUT", f"reaction/{made['id']}/", {"data": {"text": "2"}})
    assert changed.pop("updated_at") > made.pop("updated_at")
    assert changed == made | {"data": {"text": "2"}}
    assert api.refused("PUT", f"reaction/{made['id']}/", {"data": "x"}) == (400, 4)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_reaction_is_not_found(api, method):
    assert api.refused(method, f"reaction/{uuid.uuid4()}/", {} if method == "PUT" else None) == (404, 16)
    assert api.refused("PUT", "reaction/none/restore/") == (404, 16)


@pytest.mark.parametrize("body", [{}, {"data": None}, {"target_feeds": []}], ids=str)
def test_a_change_without_data_erases_nothing(api, body):
    made = api.react(ANYTHING, "comment", data={"text": "Hello"})
    assert api.refused("PUT", f"reaction/{made['id']}/", body) == (400, 4)
    assert api.ok("GET", f"reaction/{made['id']}/") == made
    assert api.ok("PUT", f"reaction/{made['id']}/", {"data": {}})["data"] == {}


def test_a_deleted_reaction_is_gone(api):
    made = api.react(ANYTHING)
    assert api.ok("DELETE", f"reaction/{made['id']}/") == {}
    assert api.refused("GET", f"reaction/{made['id']}/") == (404, 16)
    assert listed(api, f"activity_id/{ANYTHING}") == []


@pytest.mark.parametrize("flag", ["true", "True", "1"])
def test_a_softly_deleted_reaction_is_hidden_and_comes_back(api, flag):
    made = api.react(ANYTHING)
    api.ok("DELETE", f"reaction/{made['id']}/", soft=flag)
    hidden = api.ok("GET", f"reaction/{made['id']}/")
    assert hidden.pop("deleted_at").endswith("Z")
    assert hidden == made
    assert listed(api, f"activity_id/{ANYTHING}") == listed(api, "user_id/bob") == []
    assert api.refused("PUT", f"reaction/{made['id']}/", {"data": {}}) == (404, 16)
    api.ok("PUT", f"reaction/{made['id']}/restore/", {})
    assert api.ok("GET", f"reaction/{made['id']}/") == made
    assert listed(api, f"activity_id/{ANYTHING}") == [made["id"]]
    assert api.refused("PUT", f"reaction/{made['id']}/restore/") == (404, 16)


def test_many_are_read_by_id_in_the_order_asked(api):
    one, two, three = (api.react(ANYTHING)["id"] for _ in range(3))
    api.ok("DELETE", f"reaction/{two}/", soft="true")

    def ids(**query):
        found = api.ok("GET", "reaction/get_many/", ids=f"{three},{two},nothing,{one}", **query)
        return [reaction["id"] for reaction in found["reactions"]]

    assert ids() == [three, one]
    assert ids(include_deleted="true") == [three, two, one]
    assert api.refused("GET", "reaction/get_many/") == (400, 4)


def test_lists_are_newest_first_by_activity_user_and_parent(api):
    first = api.react(ANYTHING, "comment", "bob")
    second = api.react(ANYTHING, "like", "eve")
    child = api.answer_to(first["id"], "like", "eve")
    assert listed(api, f"activity_id/{ANYTHING}") == [second["id"], first["id"]]
    assert listed(api, f"activity_id/{ANYTHING}/comment") == [first["id"]]
    assert listed(api, "user_id/eve") == [child["id"], second["id"]]
    assert listed(api, "user_id/eve/comment") == []
    assert listed(api, f"reaction_id/{first['id']}") == [child["id"]]
    assert listed(api, f"reaction_id/{first['id']}/like") == [child["id"]]
    assert listed(api, "reaction_id/unknown") == []
    assert listed(api, f"activity_id/{ANYTHING}", filter_user_id="bob") == [first["id"]]


def test_one_users_list_over_all_kinds_goes_down_and_up(api):
    parent = api.react(ANYTHING, "comment", "eve")
    kinds = ("like", "comment", "like", "share", "comment")
    mine = [api.react(ANYTHING, kind, "bob")["id"] for kind in kinds]
    below = [api.answer_to(parent["id"], kind, "bob")["id"] for kind in kinds]
    api.react(ANYTHING, "like", "eve")
    api.answer_to(parent["id"], "share", "eve")
    api.ok("DELETE", f"reaction/{mine[3]}/", soft="true")
    api.ok("DELETE", f"reaction/{below[3]}/", soft="true")
    for path, ids in ((f"activity_id/{ANYTHING}", mine), (f"reaction_id/{parent['id']}", below)):
        assert listed(api, path, filter_user_id="bob") == [ids[4], ids[2], ids[1], ids[0]]
        assert listed(api, path, filter_user_id="bob", limit=2) == [ids[4], ids[2]]
        assert listed(api, path, filter_user_id="bob", limit=2, id_lt=ids[2]) == [ids[1], ids[0]]
        assert listed(api, path, filter_user_id="bob", limit=2, id_lte=ids[2]) == [ids[2], ids[1]]
        assert listed(api, path, filter_user_id="bob", limit=2, id_gt=ids[0]) == [ids[1], ids[2]]
        assert listed(api, path, filter_user_id="bob", limit=2, id_gte=ids[0]) == [ids[0], ids[1]]
        assert listed(api, path, filter_user_id="bob", id_gt=ids[4]) == []
        assert listed(api, path, filter_user_id="nobody") == []
        assert listed(api, f"{path}/like", filter_user_id="bob") == [ids[2], ids[0]]


@pytest.mark.parametrize("path", ["activity_id/12", "kind/like"])
def test_a_list_of_nothing_known_is_refused(api, path):
    assert api.refused("GET", f"reaction/{path}/") == (400, 4)


def test_pages_go_down_and_up_and_end(api):
    ids = [api.react(ANYTHING)["id"] for _ in range(5)]
    path = f"activity_id/{ANYTHING}/like"
    assert listed(api, path, limit=2) == [ids[4], ids[3]]
    assert listed(api, path, id_lt=ids[3], limit=2) == [ids[2], ids[1]]
    assert listed(api, path, id_lte=ids[3], limit=2) == [ids[3], ids[2]]
    assert listed(api, path, id_gt=ids[1], limit=2) == [ids[2], ids[3]]
    assert listed(api, path, id_gte=ids[1], limit=2) == [ids[1], ids[2]]
    assert listed(api, path, id_gt="made-up", limit=2) == [ids[0], ids[1]]
    assert listed(api, path, id_lt="made-up", limit=2) == [ids[4], ids[3]]
    assert api.refused("GET", f"reaction/{path}/", id_lt=ids[0], id_gt=ids[1]) == (400, 8)


def test_next_leads_on_and_is_empty_at_the_end(api):
    ids = [api.react(ANYTHING)["id"] for _ in range(4)]
    path = "reaction/user_id/bob/like/"
    page = api.ok("GET", path, limit=2)
    assert page["next"] == f"/api/v1.0/{path}?api_key=embedded&id_lt={ids[2]}&limit=2"
    last = api.ok("GET", path, limit=2, id_lt=ids[2])
    assert ([reaction["id"] for reaction in last["results"]], last["next"]) == ([ids[1], ids[0]], "")
    up = api.ok("GET", path, limit=2, id_gte=ids[0])
    assert up["next"] == f"/api/v1.0/{path}?api_key=embedded&id_gt={ids[1]}&limit=2"


def test_a_page_has_ten_and_at_most_twenty_five(api):
    for _ in range(27):
        api.react(ANYTHING)
    assert len(listed(api, "user_id/bob")) == 10
    assert len(listed(api, "user_id/bob", limit=100)) == 25
    assert api.refused("GET", "reaction/user_id/bob/", limit="x") == (400, 4)


def test_three_levels_nest_and_the_fourth_is_refused(api):
    comment = api.react(ANYTHING, "comment")
    answer = api.answer_to(comment["id"], "comment", "eve")
    like = api.answer_to(answer["id"], "like", "ada", activity_id=ANYTHING)
    body = {"kind": "like", "parent": like["id"], "user_id": "bob"}
    assert api.refused("POST", "reaction/", body) == (400, 4)
    assert (answer["parent"], answer["activity_id"]) == (comment["id"], ANYTHING)
    told = api.ok("GET", f"reaction/{comment['id']}/")
    assert told["children_counts"] == {"comment": 1}
    assert told["latest_children"] == {
        "comment": [answer | {"latest_children": {"like": [like]}, "children_counts": {"like": 1}}]
    }


def test_the_ten_newest_children_of_all_kinds_are_told(api):
    comment = api.react(ANYTHING, "comment")
    made = [api.answer_to(comment["id"], kind)["id"] for _ in range(4) for kind in ("like", "clap", "wow")]
    told = api.ok("GET", f"reaction/{comment['id']}/")
    assert told["children_counts"] == {"like": 4, "clap": 4, "wow": 4}
    shown = {kind: [child["id"] for child in children] for kind, children in told["latest_children"].items()}
    assert shown == {
        kind: made[-10:][start::3][::-1] for kind, start in (("like", 1), ("clap", 2), ("wow", 0))
    }


@pytest.mark.parametrize("soft", [True, False])
def test_a_list_goes_on_from_a_reaction_that_was_deleted(api, soft):
    activity = api.post("user:1")["id"]
    comments = [api.react(activity, "comment")["id"] for _ in range(6)]
    path = f"reaction/activity_id/{activity}/"
    newest, oldest = (
        api.ok("GET", path, limit=2),
        api.ok("GET", path, limit=2, id_gte=comments[0]),
    )
    parent = api.react(ANYTHING)["id"]
    children = [api.answer_to(parent)["id"] for _ in range(3)]
    answers = api.ok("GET", f"reaction/reaction_id/{parent}/", limit=1)
    for gone in (comments[4], comments[1], children[2]):
        api.ok("DELETE", f"reaction/{gone}/", soft=soft)
    assert ids_of(api.follow_next(newest)) == [comments[3], comments[2]]
    assert ids_of(api.follow_next(oldest)) == [comments[2], comments[3]]
    assert ids_of(api.follow_next(answers)) == [children[1]]
    assert listed(api, f"activity_id/{activity}", id_lt=comments[4]) == comments[3:1:-1] + comments[:1]


def test_places_of_deleted_reactions_are_forgotten_in_the_end(api):
    comment = api.react(ANYTHING)["id"]
    api.ok("DELETE", f"reaction/{comment}/")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=29), tick=False):
        assert prune_places() == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31), tick=False):
        assert prune_places() == 1


def test_older_ones_follow_when_the_newest_are_deleted(api):
    activity = api.post("user:1")["id"]
    comment = api.react(activity, "comment")
    likes = [api.react(activity)["id"] for _ in range(7)]
    answers = [api.answer_to(comment["id"])["id"] for _ in range(12)]
    for reaction in (*likes[1:], *answers[1:]):
        api.ok("DELETE", f"reaction/{reaction}/")
    told = api.enriched("user:1", withRecentReactions="true", withReactionCounts="true")[0]
    assert [like["id"] for like in told["latest_reactions"]["like"]] == likes[:1]
    assert told["reaction_counts"] == {"comment": 1, "like": 1}
    child = told["latest_reactions"]["comment"][0]
    assert [like["id"] for like in child["latest_children"]["like"]] == answers[:1]
    assert child["children_counts"] == {"like": 1}


@pytest.mark.parametrize("soft", [True, False])
def test_a_deleted_parent_takes_its_children_along(api, soft):
    comment = api.react(ANYTHING, "comment")
    answer = api.answer_to(comment["id"], "comment")
    like = api.answer_to(answer["id"], "like", "eve")
    before = [api.ok("GET", f"reaction/{one['id']}/") for one in (comment, answer, like)]
    api.ok("DELETE", f"reaction/{comment['id']}/", soft=str(soft).lower())
    assert listed(api, "user_id/eve") == listed(api, "user_id/bob") == []
    if not soft:
        assert api.refused("GET", f"reaction/{like['id']}/") == (404, 16)
        return
    assert api.refused("PUT", f"reaction/{answer['id']}/restore/") == (404, 16)
    body = {"kind": "like", "parent": answer["id"], "user_id": "bob"}
    assert api.refused("POST", "reaction/", body) == (400, 4)
    api.ok("PUT", f"reaction/{comment['id']}/restore/")
    assert [api.ok("GET", f"reaction/{one['id']}/") for one in (comment, answer, like)] == before


def test_what_was_deleted_before_its_parent_stays_deleted_when_that_comes_back(api):
    comment = api.react(ANYTHING, "comment")
    gone, kept = api.answer_to(comment["id"]), api.answer_to(comment["id"])
    api.ok("DELETE", f"reaction/{gone['id']}/", soft="true")
    api.ok("DELETE", f"reaction/{comment['id']}/", soft="true")
    api.ok("PUT", f"reaction/{comment['id']}/restore/")
    assert listed(api, f"reaction_id/{comment['id']}") == [kept["id"]]
    assert api.ok("GET", f"reaction/{comment['id']}/")["children_counts"] == {"like": 1}
    api.ok("PUT", f"reaction/{gone['id']}/restore/")
    assert api.ok("GET", f"reaction/{comment['id']}/")["children_counts"] == {"like": 2}


def test_own_children_are_those_of_the_user_named_or_everybodys(api):
    comment = api.react(ANYTHING, "comment")
    hers, his = api.answer_to(comment["id"], "like", "eve"), api.answer_to(comment["id"], "like", "ada")

    def own(**query):
        found = api.ok("GET", f"reaction/activity_id/{ANYTHING}/", with_own_children="true", **query)
        own_children = found["results"][0]["own_children"]
        return {kind: [child["id"] for child in children] for kind, children in own_children.items()}

    assert own(user_id="eve") == own(children_user_id="eve") == {"like": [hers["id"]]}
    assert own() == {"like": [his["id"], hers["id"]]}
    assert own(user_id="nobody") == own(with_own_children_kinds="clap") == {}


def test_a_list_brings_the_activity_when_asked(api):
    api.made("user/", {"id": "eric", "data": {"name": "Eric"}})
    activity = api.post("user:1", actor="SU:eric")
    like = api.react(activity["id"])
    found = api.ok("GET", f"reaction/activity_id/{activity['id']}/like/", with_activity_data="true")
    told = found["activity"]
    assert (told["id"], told["actor"]["data"]) == (activity["id"], {"name": "Eric"})
    assert told["latest_reactions"] == told["own_reactions"] == {"like": [like]}
    assert told["latest_reactions_extra"] == {"like": {"next": ""}}
    assert told["reaction_counts"] == {"like": 1}
    assert "activity" not in api.ok("GET", f"reaction/activity_id/{activity['id']}/")


def test_the_activity_of_reactions_to_something_unknown_is_told_as_missing(api):
    api.react(ANYTHING)
    found = api.ok("GET", f"reaction/activity_id/{ANYTHING}/", with_activity_data="true")
    assert found["activity"] == {
        "id": ANYTHING,
        "error": "ReferenceNotFound",
        "reference": f"SA:{ANYTHING}",
        "reference_type": "activity",
    }
