"""Nobody overwrites, moves or blocks what is another's, however it is named and whoever is first."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from django_stream.server.models import Activity, ApiKey, Application, AuditLog, Placement
from tests.contract.calling import Api, ids, ok, post, refusal, refused, user_token

pytestmark = pytest.mark.django_db

TIME = "2026-01-31T12:00:00.000000"
OWN = {"actor": "SU:eve", "verb": "v", "object": "o"}
# Contents whose 32-bit hashes are equal, found by trying: at one time both have the same id.
VICTIMS = {"actor": "SU:victim", "verb": "post", "object": "o", "time": TIME, "text": "95039"}
COLLIDING = {"actor": "SU:eve", "verb": "post", "object": "o", "time": TIME, "salt": 48821}
NAMED = {"foreign_id": "post:5", "time": TIME}

eve = Api(auth=None).as_user("eve")


@pytest.fixture
def victims() -> dict[str, Any]:
    """An activity of the victim that was posted by the application's server."""
    return post("user:victim", **{**VICTIMS, **NAMED})


def stored() -> list[dict[str, Any]]:
    return list(Activity.objects.order_by("key").values())


def placed() -> set[tuple[str, str]]:
    rows = Placement.objects.select_related("feed")
    return {(str(row.feed), str(row.key)) for row in rows}


def test_a_content_that_only_has_the_same_id_is_a_conflict() -> None:
    victims = post("user:victim", **VICTIMS)
    before = stored(), placed()

    assert eve.refused("POST", "feed/user/eve/", COLLIDING) == (409, 22)
    assert refused("POST", "feed/user/eve/", COLLIDING | {"actor": "SU:eve"}) == (409, 22)
    assert (stored(), placed()) == before
    assert ids("user:victim") == [victims["id"]]
    again = ok("POST", "feed/user/other/", VICTIMS)
    assert again["id"] == victims["id"], "the same content is the same activity, wherever it is posted"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "feed/user/eve/", {**OWN, **NAMED}),
        (
            "POST",
            "feed/user/eve/",
            {"activities": [{**OWN, **NAMED}]},
        ),
        ("POST", "activities/", {"activities": [{**OWN, **NAMED}]}),
        ("POST", "activity/", {**NAMED, "set": {"text": "mine"}}),
        ("POST", "activity/", {**NAMED, "set": {"actor": "SU:eve"}}),
        ("POST", "activity/", {"changes": [{**NAMED, "unset": ["text"]}]}),
        (
            "POST",
            "feed_targets/user/eve/activity_to_targets/",
            {**NAMED, "new_targets": ["notification:eve"]},
        ),
    ],
    ids=["post", "post several", "replace", "set", "take over", "unset", "retarget"],
)
def test_a_user_touches_no_activity_of_others(
    method: str, path: str, body: Any, victims: dict[str, Any]
) -> None:
    # The application has put it on the user's own feed as well.
    ok("POST", "feed/user/eve/", {**VICTIMS, **NAMED})
    before, entries = stored(), placed()

    for named in (body, _by_id(body, victims["id"])):
        assert eve.call(method, path, named).status in (400, 403, 404), named
    assert (stored(), placed()) == (before, entries)


def _by_id(body: dict[str, Any], activity_id: str) -> Any:
    """The same by id, where an id names an activity."""
    if "foreign_id" in body and "verb" not in body:
        return {name: value for name, value in body.items() if name not in NAMED} | {"id": activity_id}
    return body


def test_whose_it_is_is_decided_from_what_is_stored_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The victim's activity comes after the request was looked at, and before it is carried out."""
    from django_stream.server.actions import placements

    real = placements.add

    def late(*args: Any) -> Any:
        monkeypatch.setattr(placements, "add", real)
        post("user:victim", **{**VICTIMS, **NAMED})
        return real(*args)

    monkeypatch.setattr(placements, "add", late)
    body = {**OWN, **NAMED}
    assert eve.refused("POST", "feed/user/eve/", body) == (403, 17)
    (activity,) = stored()
    assert activity["actor"] == "SU:victim"
    assert ids("user:eve") == []


def test_the_application_wins_where_a_user_was_first() -> None:
    body = {**OWN, **NAMED, "to": ["notification:spy"]}
    eve.ok("POST", "feed/user/eve/", body)
    ok("POST", "feed/timeline/follower/follows/", {"target": "user:eve"})
    assert ids("timeline:follower")

    mine = post("user:victim", **{**VICTIMS, **NAMED, "to": ["notification:friend"]})

    assert (mine["actor"], mine["to"]) == ("SU:victim", ["notification:friend"])
    assert ids("user:victim") == [mine["id"]]
    assert ids("user:eve") == ids("timeline:follower") == []
    assert [len(ok("GET", f"feed/notification/{name}/")["results"]) for name in ("spy", "friend")] == [0, 1]
    assert eve.refused("POST", "feed/user/eve/", body) == (403, 17)


def test_the_application_wins_with_each_of_several() -> None:
    names = ["post:5", "post:6"]
    for name in names:
        eve.ok("POST", "feed/user/eve/", {**OWN, **NAMED, "foreign_id": name})
    several = [{**VICTIMS, **NAMED, "foreign_id": name} for name in ("post:4", *names)]
    ok("POST", "feed/user/victim/", {"activities": several})
    assert (len(ids("user:victim")), ids("user:eve")) == (3, [])


def test_what_the_application_posted_stays_on_its_feeds_whoever_is_its_actor_now(
    victims: dict[str, Any],
) -> None:
    post("user:elsewhere", **{**OWN, **NAMED})
    assert ids("user:victim") == ids("user:elsewhere") == [victims["id"]]


def test_the_application_goes_on_with_what_its_own_user_posted() -> None:
    body = {**OWN, **NAMED}
    first = eve.ok("POST", "feed/user/eve/", body)
    post("user:elsewhere", **body)
    assert ids("user:eve") == ids("user:elsewhere") == [first["id"]]


def test_a_user_writes_again_what_it_wrote() -> None:
    body = {**OWN, **NAMED}
    first = eve.ok("POST", "feed/user/eve/", body)
    assert eve.ok("POST", "feed/user/eve/", body | {"text": "more"})["id"] == first["id"]
    assert eve.ok("POST", "activity/", {"id": first["id"], "set": {"text": "less"}})["text"] == "less"


def test_what_removes_nothing_is_not_told_as_a_removal(victims: dict[str, Any]) -> None:
    AuditLog.objects.all().delete()
    eve.ok("DELETE", f"feed/user/eve/{victims['id']}/")
    eve.ok("DELETE", "feed/user/eve/post:5/", foreign_id=1)
    assert list(AuditLog.objects.all()) == []
    assert ids("user:victim") == [victims["id"]]


def test_the_log_tells_who_asked(victims: dict[str, Any]) -> None:
    ok("POST", "feed/user/eve/", {**VICTIMS, **NAMED})
    ok("POST", "feed/user/third/", {**VICTIMS, **NAMED})
    AuditLog.objects.all().delete()
    eve.ok("DELETE", f"feed/user/eve/{victims['id']}/")
    assert [(row.action, row.user_id) for row in AuditLog.objects.all()] == [("delete", "eve")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("reaction/{reaction}/", {"data": {"n": 1}}),
        ("collections/food/pie/", {"data": {"n": 1}}),
        ("user/victim/", {"data": {"n": 1}}),
    ],
)
def test_other_things_are_their_owners_too(path: str, body: Any, victims: dict[str, Any]) -> None:
    victim = eve.as_user("victim")
    victim.ok("POST", "user/", {"id": "victim", "data": {"n": 0}})
    victim.ok("POST", "collections/food/", {"id": "pie", "data": {"n": 0}})
    reaction = victim.ok("POST", "reaction/", {"kind": "like", "activity_id": victims["id"]})
    path = path.format(reaction=reaction["id"])
    for method in ("PUT", "DELETE"):
        assert eve.refused(method, path, body if method == "PUT" else None) == (403, 17)
        assert Api().ok("GET", path)["data"] != body["data"]
    victim.ok("PUT", path, body)
    victim.ok("DELETE", path)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("reaction/{reaction}/", {}),
        ("reaction/{reaction}/", {"soft": "true"}),
        ("collections/food/pie/", {}),
        ("collections/", {"collection_name": "food", "ids": "pie"}),
        ("user/victim/", {}),
        ("users/", {"ids": "victim"}),
        ("feed/user/victim/{activity}/", {}),
    ],
)
def test_the_server_deletes_what_is_anybodys_whoever_asked_it_to(
    path: str, query: dict[str, str], victims: dict[str, Any]
) -> None:
    """`user_id` names a moderator for the log; it takes nothing from what the server may."""
    victim = eve.as_user("victim")
    victim.ok("POST", "user/", {"id": "victim"})
    victim.ok("POST", "collections/food/", {"id": "pie", "data": {"n": 0}})
    reaction = victim.ok("POST", "reaction/", {"kind": "like", "activity_id": victims["id"]})
    AuditLog.objects.all().delete()
    path = path.format(reaction=reaction["id"], activity=victims["id"])

    assert eve.call("DELETE", path, user_id="victim", **query).status in (401, 403)
    ok("DELETE", path, user_id="moderator", **query)
    assert [(row.action, row.user_id) for row in AuditLog.objects.all()] == [("delete", "moderator")]


def test_a_parent_that_comes_back_brings_the_reactions_of_others(victims: dict[str, Any]) -> None:
    parent = eve.ok("POST", "reaction/", {"kind": "comment", "activity_id": victims["id"]})
    bob = eve.as_user("bob")
    told = {"kind": "like", "parent": parent["id"], "target_feeds": ["notification:eve"]}
    bob.ok("POST", "reaction/", told)
    eve.ok("DELETE", f"reaction/{parent['id']}/", soft="true")
    assert ok("GET", "feed/notification/eve/")["results"] == []
    eve.ok("PUT", f"reaction/{parent['id']}/restore/")
    assert len(ok("GET", "feed/notification/eve/")["results"]) == 1


def test_a_user_addresses_so_many_feeds_in_a_request() -> None:
    def activities(count: int, each: int) -> dict[str, Any]:
        names = [[f"notification:{one}_{number}" for number in range(each)] for one in range(count)]
        return {"activities": [{"actor": "SU:eve", "verb": "v", "object": "o", "to": to} for to in names]}

    eve.ok("POST", "feed/user/eve/", activities(10, 10))
    status, code, detail = eve.refusal("POST", "feed/user/eve/", activities(11, 10))
    assert (status, code, "100 feeds" in detail) == (400, 4, True)
    ok("POST", "feed/user/eve/", activities(11, 10))


@time_machine.travel("2026-01-31T12:00:10Z", tick=False)
def test_users_of_the_sites_own_application_have_limits(settings: Any) -> None:
    cache.clear()
    for _ in range(200):
        eve.ok("GET", "stats/follow/", followers="user:1")
    assert eve.refused("GET", "stats/follow/", followers="user:1") == (429, 9)
    eve.as_user("bob").ok("GET", "stats/follow/", followers="user:1")
    ok("GET", "stats/follow/", followers="user:1")
    settings.STREAM_SERVER_RATE_LIMITS = {"followers": None}
    eve.ok("GET", "stats/follow/", followers="user:1")


def test_equal_names_of_two_applications_are_two_things() -> None:
    key = ApiKey.objects.create(application=Application.objects.create())
    other = Api(api_key=key.key, secret=key.secret())
    body = {"actor": "SU:victim", "verb": "v", "object": "o", **NAMED, "to": ["notification:a"]}
    for one in (Api(), other):
        one.ok("POST", "feed/user/1/", body | {"text": one.api_key})
        one.ok("POST", "feed/timeline/1/follows/", {"target": "user:1"})
        one.ok("POST", "user/", {"id": "victim", "data": {"key": one.api_key}})
        one.ok("POST", "collections/food/", {"id": "pie", "data": {"key": one.api_key}})
        activity = one.page("user:1")[0]
        one.ok(
            "POST", "reaction/", {"id": "r", "kind": "like", "user_id": "bob", "activity_id": activity["id"]}
        )
    feeds = ("user:1", "timeline:1")

    def state(one: Api) -> list[Any]:
        entries = [
            one.enriched(feed, withReactionCounts="true", withRecentReactions="true") for feed in feeds
        ]
        return [
            entries,
            one.page("notification:a"),
            one.ok("GET", "user/victim/"),
            one.ok("GET", "reaction/r/"),
        ]

    before = state(Api())
    other.ok("POST", "activity/", {**NAMED, "set": {"text": "changed"}})
    other.ok("POST", "feed_targets/user/1/activity_to_targets/", {**NAMED, "new_targets": []})
    other.ok("DELETE", "reaction/r/", soft="true")
    other.ok("PUT", "reaction/r/restore/")
    other.ok("DELETE", "reaction/r/")
    other.ok("DELETE", "user/victim/")
    other.ok("DELETE", "collections/food/pie/")
    other.ok("DELETE", "feed/timeline/1/follows/user:1/")
    other.ok("DELETE", "feed/user/1/post:5/", foreign_id=1)
    assert state(Api()) == before
    assert other.page("user:1") == []


def test_a_user_decides_for_their_own_feed_what_others_did_there() -> None:
    made = [
        post("user:eve", actor=f"SU:{actor}", foreign_id=f"p:{actor}", to=["user:ada"])["id"]
        for actor in ("bob", "eve")
    ]
    for one in made:
        eve.ok("DELETE", f"feed/user/eve/{one}/")
    assert (ids("user:eve"), ids("user:ada")) == ([], made[:1])
    ok("DELETE", f"feed/user/ada/{made[0]}/")
    assert not Activity.objects.exists()


def test_a_token_of_one_user_is_none_of_another() -> None:
    assert refusal("GET", "feed/timeline/victim/", auth=user_token("eve"))[:2] == (403, 17)


@pytest.mark.parametrize("item", [{"n": 2}, {"data": "text"}, {"data": {"n": 2}, "more": 1}, {}], ids=str)
@pytest.mark.parametrize("path", ["collections/", "meta/"])
def test_an_entry_that_the_application_writes_is_not_the_users_who_took_its_id(
    path: str, item: dict[str, Any]
) -> None:
    eve.made("collections/food/", {"id": "pie", "data": {"n": 1}})
    Api().made(path, {"data": {"food": [{"id": "pie", **item}]}})

    assert eve.refused("PUT", "collections/food/pie/", {"data": {"n": 3}}) == (403, 17)
    assert eve.refused("DELETE", "collections/food/pie/") == (403, 17)
    assert ok("GET", "collections/food/pie/")["data"] == {"id": "pie", **item}
