"""Feeds: adding, reading, paging and removing, as the wire document has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.contract.calling import Api

TIME = "2018-11-14T15:54:45.268000"
FOREIGN_ID = "1E42DEB6-7C2F-4DA9-B6E6-0C6E5CC9815D"
ID = "9b5b3540-e825-11e8-8080-800016ff21e4"


def test_an_activity_is_answered_with_exactly_the_documented_keys(api: Api):
    made = api.post(
        "user:1",
        actor=1,
        foreign_id=FOREIGN_ID,
        time=TIME + "Z",
        mine={"any": [1, 2.5, None]},
        to=["flat:2 token"],
    )
    assert made == {
        "id": ID,
        "actor": "1",
        "verb": "tweet",
        "object": "1",
        "target": "",
        "foreign_id": FOREIGN_ID,
        "origin": None,
        "time": TIME,
        "to": ["flat:2"],
        "mine": {"any": [1, 2.5, None]},
    }
    assert api.ok("GET", "feed/user/1/") == {"results": [made], "next": ""}


@pytest.mark.parametrize(
    "time", ["2018-11-14T15:54:45.268Z", "2018-11-14T16:54:45.268+01:00", "2018-11-14 15:54:45.268000999"]
)
def test_every_form_of_a_time_gives_the_same_id(api: Api, time):
    assert api.post("user:1", foreign_id=FOREIGN_ID, time=time)["id"] == ID


def test_a_known_foreign_id_and_time_is_updated_in_place(api: Api):
    api.post("user:1", foreign_id="a", time=TIME, colour="red", to=["flat:1"])
    again = api.post("user:1", foreign_id="a", time=TIME, size=3)
    assert api.page("user:1") == [again]
    assert "colour" not in again
    assert again["to"] == ["flat:1"]
    assert api.page("flat:1") == [again]


def test_one_activity_may_be_posted_to_several_feeds(api: Api):
    first = api.post("user:1", foreign_id="a", time=TIME)
    second = api.post("user:2", foreign_id="a", time=TIME)
    assert first["id"] == second["id"]
    api.follow("timeline:1", "user:1")
    api.follow("timeline:1", "user:2")
    assert api.ids("timeline:1") == [first["id"]]
    api.ok("DELETE", f"feed/user/1/{first['id']}/")
    assert api.ids("timeline:1") == [first["id"]]
    api.ok("DELETE", f"feed/user/2/{first['id']}/")
    assert api.ids("timeline:1") == []


def test_without_foreign_id_the_content_identifies(api: Api):
    first = api.post("topic:1", time=TIME, colour="red")
    assert api.post("topic:2", time=TIME, colour="red")["id"] == first["id"]
    assert api.post("topic:2", time=TIME, colour="blue")["id"] != first["id"]


def test_without_a_time_the_server_gives_now_and_a_new_id(api: Api):
    before = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1)
    first, second = (api.post("user:1", foreign_id="a", time=None) for _ in range(2))
    assert before < datetime.fromisoformat(first["time"]) < datetime.fromisoformat(second["time"])
    assert api.ids("user:1") == [second["id"], first["id"]]


def test_a_batch_is_answered_in_its_order_and_read_newest_last_first(api: Api):
    made = api.ok(
        "POST",
        "feed/user/1/",
        {"activities": [{"actor": "a", "verb": "v", "object": number} for number in range(3)]},
        status=201,
    )["activities"]
    assert [item["object"] for item in made] == ["0", "1", "2"]
    assert [item["object"] for item in api.page("user:1")] == ["2", "1", "0"]


@pytest.mark.parametrize("bound", ["id_lt", "id_lte"])
def test_a_bound_at_the_other_end_holds_on_every_page(api: Api, bound: str):
    made = [api.post("user:1", foreign_id=f"a:{number}")["id"] for number in range(6)]
    wanted = made[1 : 4 if bound == "id_lt" else 5]
    place: dict[str, str] = {"order": "oldest", "limit": "1", "id_gte": made[1], bound: made[4]}
    found = []
    while place:
        answer = api.ok("GET", "feed/user/1/", **place)
        found += [one["id"] for one in answer["results"]]
        place = dict(parse_qsl(urlsplit(answer["next"]).query))
        place.pop("api_key", None)
    assert found == wanted


def test_activities_of_one_time_keep_one_order_over_pages(api: Api):
    for number in range(5):
        api.post("user:1", foreign_id=str(number), time=TIME)
    all_of_them = api.ids("user:1")
    assert len(set(all_of_them)) == 5
    paged = api.ids("user:1", limit="2")
    while len(paged) < 5:
        paged += api.ids("user:1", limit="2", id_lt=paged[-1])
    assert paged == all_of_them


def test_pages_by_every_bound(api: Api):
    for hour in range(6):
        api.post("user:1", foreign_id=str(hour), time=f"2026-01-01T0{hour}:00:00")
    newest = api.ids("user:1")
    assert api.ids("user:1", id_lt=newest[1]) == newest[2:]
    assert api.ids("user:1", id_lte=newest[1]) == newest[1:]
    assert api.ids("user:1", id_gt=newest[3]) == newest[:3]
    assert api.ids("user:1", id_gte=newest[3]) == newest[:4]
    assert api.ids("user:1", id_lte=newest[2], id_gte=newest[2], limit="1") == [newest[2]]
    assert api.ids("user:1", offset="4", limit="1") == [newest[4]]
    assert api.ids("user:1", limit="0") == []


def test_next_leads_through_all_pages_and_is_empty_on_the_last(api: Api):
    for hour in range(4):
        api.post("user:1", time=f"2026-01-01T0{hour}:00:00")
    newest = api.ids("user:1")
    first = api.ok("GET", "feed/user/1/", limit="2", user_id="x")
    assert first["next"] == (
        f"/api/v1.0/feed/user/1/?api_key={api.api_key}&id_lt={newest[1]}&limit=2&user_id=x"
    )
    assert api.ok("GET", "feed/user/1/", limit="2", id_lt=newest[1])["next"] == ""
    enriched = api.ok("GET", "enrich/feed/user/1/", limit="1")
    assert enriched["next"].startswith("/api/v1.0/enrich/feed/user/1/?api_key=")
    assert f"&id_lt={newest[0]}&limit=1" in enriched["next"]


def test_the_default_page_is_25_and_the_largest_100(api: Api):
    activities = [{"actor": "a", "verb": "v", "object": number} for number in range(100)]
    api.ok("POST", "feed/user/1/", {"activities": activities})
    assert len(api.ids("user:1")) == 25
    assert len(api.ids("user:1", limit="100")) == 100
    assert api.refused("GET", "feed/user/1/", limit="101") == (400, 4)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "-1"}, 4),
        ({"limit": "many"}, 4),
        ({"offset": "-1"}, 4),
        ({"offset": "100001"}, 4),
        ({"id_lt": "nothing"}, 8),
        ({"id_lt": ID, "id_lte": ID}, 8),
        ({"id_lt": "00000080-b3ed-11e5-8080-8000444ef374", "id_gt": ID}, 8),
        ({"ranking_vars": "[1]"}, 4),
        ({"ranking_vars": "{"}, 4),
        ({"ranking": "unknown"}, 12),
    ],
)
def test_unusable_parameters_are_refused(api: Api, query, code):
    assert api.refused("GET", "feed/user/1/", **query) == (400, code)


@pytest.mark.parametrize(
    ("activity", "field"),
    [
        ({"actor": ""}, "actor"),
        ({"verb": None}, "verb"),
        ({"object": ""}, "object"),
        ({"object": {"id": 1}}, "object"),
        ({"verb": "v" * 256}, "verb"),
        ({"foreign_id": "f" * 256}, "foreign_id"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-02-30T00:00:00"}, "time"),
        ({"time": "0001-01-01T00:00:00"}, "time"),
        ({"to": "flat:1"}, "to"),
        ({"to": ["flat"]}, "to"),
        ({"to": [f"flat:{number}" for number in range(101)]}, "to"),
        ({"text": "x" * 10_241}, "activity"),
    ],
)
def test_a_bad_activity_is_refused_by_its_field_and_nothing_is_written(api: Api, activity, field):
    good = {"actor": "a", "verb": "v", "object": "o"}
    for body in ({**good, **activity}, {"activities": [good, {**good, **activity}]}):
        answer = api.call("POST", "feed/user/1/", body)
        assert (answer.status, answer.body["code"]) == (400, 4)
        assert list(answer.body["exception_fields"]) == [field]
    assert api.page("user:1") == []


def test_groups_that_nobody_declared_are_refused_by_name(api: Api):
    refusal = (400, 6, "The following feeds are not configured: 'nobody'")
    assert api.refusal("GET", "feed/nobody/1/") == refusal
    assert api.refusal("POST", "feed/nobody/1/", {"actor": "a", "verb": "v", "object": "o"}) == refusal
    assert api.refusal("POST", "feed/user/1/follows/", {"target": "nobody:1"}) == refusal
    activity = {"actor": "a", "verb": "v", "object": "o", "to": ["nobody:1"]}
    assert api.refusal("POST", "feed/user/1/", activity) == refusal
    assert api.page("user:1") == []


def test_at_most_100_activities_are_added_at_once(api: Api):
    activities = [{"actor": "a", "verb": "v", "object": number} for number in range(101)]
    assert api.refused("POST", "feed/user/1/", {"activities": activities}) == (400, 4)
    assert api.page("user:1") == []


def test_feed_names_hold_word_characters_and_hyphens(api: Api):
    activity = api.post("user:a-b_1")
    assert api.ids("user:a-b_1") == [activity["id"]]
    assert api.refused("GET", "feed/user/a.b/") == (400, 4)


def test_targets_and_their_followers_receive_with_the_documented_origins(api: Api):
    api.follow("timeline:1", "user:2")
    activity = api.post("user:1", to=["user:2", "user:2"])
    assert activity["to"] == ["user:2"]
    assert [item["origin"] for item in api.page("user:2")] == [None]
    assert [item["origin"] for item in api.page("timeline:1")] == ["user:2"]


def test_copies_go_one_level_only(api: Api):
    api.follow("timeline:1", "user:1")
    api.follow("flat:1", "timeline:1")
    activity = api.post("user:1")
    assert api.ids("timeline:1") == [activity["id"]]
    assert api.ids("flat:1") == []


def test_removal_by_id_and_of_what_is_unknown(api: Api):
    activity = api.post("user:1", to=["flat:1"])
    assert api.ok("DELETE", f"feed/user/1/{activity['id']}/") == {"removed": activity["id"]}
    # 'removed' is said of what was, and nothing that is unknown is an error.
    assert api.ok("DELETE", f"feed/user/1/{activity['id']}/") == {}
    assert (api.page("user:1"), api.page("flat:1")) == ([], [])
    assert api.ok("DELETE", "feed/notification/1/79d41147-d2f2-11e8-bf25-1231d51167b4.test_2018-10-18/") == {}
    group = f"{api.post('notification:1')['id']}.tweet"
    assert api.ok("DELETE", f"feed/notification/1/{group}/") == {"removed": group}


@pytest.mark.parametrize(
    "foreign_id",
    [
        *("like:1", "with space", "50%", "a/b", "1.5", "é:ü", "/", "//", "a//b/", "/p/1", "a\nb", " ", "?#"),
        *("https://blog.example.org/p/1", "https://blog.example.org/", "follows/user:2", "../x", "followers"),
    ],
)
def test_removal_by_foreign_id_takes_all_of_that_feed(api: Api, foreign_id):
    api.follow("timeline:1", "user:1")
    for hour in range(2):
        api.post("user:1", foreign_id=foreign_id, time=f"2026-01-01T0{hour}:00:00")
    other = api.post("user:1", foreign_id="other")
    elsewhere = api.post("user:2", foreign_id=foreign_id)
    assert api.ok("DELETE", f"feed/user/1/{foreign_id}/", foreign_id="1") == {"removed": foreign_id}
    assert api.ids("user:1") == api.ids("timeline:1") == [other["id"]]
    assert api.ids("user:2") == [elsewhere["id"]]


def test_an_address_can_be_removed_by_clients_that_make_one_slash_of_two(api: Api):
    api.post("user:1", foreign_id="https://blog.example.org/p/1")
    answer = api.ok("DELETE", "feed/user/1/https:/blog.example.org/p/1/", foreign_id="1")
    assert answer == {"removed": "https://blog.example.org/p/1"}
    assert api.page("user:1") == []


def test_a_foreign_id_that_is_nowhere_removes_nothing(api: Api):
    kept = api.post("user:1", foreign_id="a/b")
    for foreign_id in ("a", "a/b/c", "b", "a//b"):
        assert api.ok("DELETE", f"feed/user/1/{foreign_id}/", foreign_id="1") == {}
    assert api.ids("user:1") == [kept["id"]]


def test_removal_from_a_follower_is_for_that_feed_alone(api: Api):
    api.follow("timeline:1", "user:1")
    api.follow("timeline:2", "user:1")
    activity = api.post("user:1")
    api.ok("DELETE", f"feed/timeline/1/{activity['id']}/")
    assert api.ids("timeline:1") == []
    assert api.ids("timeline:2") == api.ids("user:1") == [activity["id"]]


def test_add_to_many_reaches_the_feeds_and_not_their_followers(api: Api):
    api.follow("timeline:1", "user:1")
    body = {"activity": {"actor": "a", "verb": "v", "object": "o"}, "feeds": ["user:1", "user:2", "user:1"]}
    assert api.ok("POST", "feed/add_to_many/", body) == {}
    assert api.ids("user:1") == api.ids("user:2")
    assert len(api.ids("user:1")) == 1
    assert api.page("timeline:1") == []


def test_an_activity_for_many_feeds_is_as_in_a_feed_and_reaches_its_targets(api: Api):
    for target in ("user:1", "user:3"):
        api.follow("timeline:1", target)
    activity = {"actor": "a", "verb": "v", "object": "o", "to": ["user:3"]}
    api.ok("POST", "feed/add_to_many/", {"activity": activity, "feeds": ["user:1", "user:2"]})
    assert [len(api.page(f"user:{number}")) for number in (1, 2, 3)] == [1, 1, 1]
    [found] = api.page("timeline:1")
    assert (found["origin"], found["to"]) == ("user:3", ["user:3"])


@pytest.mark.parametrize(
    "body",
    [
        {"activity": {"actor": "a", "verb": "v", "object": "o"}, "feeds": []},
        {"activity": {"actor": "a", "verb": "v", "object": "o"}, "feeds": "user:1"},
        {"activity": {"actor": "a", "verb": "v"}, "feeds": ["user:1"]},
        {"feeds": ["user:1"]},
        {"activity": {"actor": "a", "verb": "v", "object": "o"}, "feeds": ["user:1"] * 5001},
    ],
)
def test_a_bad_add_to_many_is_refused(api: Api, body):
    assert api.refused("POST", "feed/add_to_many/", body) == (400, 4)
    assert api.page("user:1") == []


def test_actors_can_be_discarded_and_older_ones_fill_the_page(api: Api):
    for hour, actor in enumerate("abab"):
        api.post("user:1", actor=actor, time=f"2026-01-01T0{hour}:00:00")
    assert [item["actor"] for item in api.page("user:1", discard_actors="b", limit="2")] == ["a", "a"]
    assert api.page("user:1", discard_actors="a|b", discard_actors_sep="|") == []
