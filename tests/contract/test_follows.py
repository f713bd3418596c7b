"""Follows: copies, histories, lists, counts and batches."""

from __future__ import annotations

import pytest

from tests.contract.calling import Api

COPY_LIMIT = (400, 4, "activity_copy_limit must be a non-negative number not greater than 1000")


def names(follows: dict, side: str) -> list[str]:
    return [follow[side] for follow in follows["results"]]


def test_a_follow_copies_the_newest_and_forwards_the_rest(api: Api):
    old = [api.post("user:1", time=f"2026-01-01T0{hour}:00:00")["id"] for hour in range(4)]
    api.follow("timeline:1", "user:1", activity_copy_limit=2, target_token="ignored")
    new = api.post("user:1")["id"]
    assert api.ids("timeline:1") == [new, old[3], old[2]]
    assert {item["origin"] for item in api.page("timeline:1")} == {"user:1"}


def test_a_copy_limit_of_nought_copies_nothing_and_100_is_the_default(api: Api):
    activities = [{"actor": "a", "verb": "v", "object": number} for number in range(100)]
    api.ok("POST", "feed/user/1/", {"activities": activities})
    api.post("user:1")
    api.follow("timeline:1", "user:1", activity_copy_limit=0)
    api.follow("timeline:2", "user:1")
    assert api.ids("timeline:1") == []
    assert len(api.ids("timeline:2", limit="100")) == 100
    assert api.ids("timeline:2", offset="100") == []


def test_following_again_changes_nothing(api: Api):
    activity = api.post("user:1")
    for _ in range(2):
        api.follow("timeline:1", "user:1")
    assert api.ids("timeline:1") == [activity["id"]]
    assert names(api.ok("GET", "feed/user/1/followers/"), "feed_id") == ["timeline:1"]


def test_what_a_feed_only_receives_is_not_copied_from_it(api: Api):
    api.post("user:1")
    api.follow("timeline:1", "user:1")
    api.follow("flat:1", "timeline:1")
    assert api.page("flat:1") == []


@pytest.mark.parametrize("keep", ["1", "true", "True", "", "yes"])
def test_an_unfollow_purges_unless_the_history_is_kept(api: Api, keep):
    activity = api.post("user:1")
    for timeline in ("timeline:1", "timeline:2"):
        api.follow(timeline, "user:1")
    assert api.ok("DELETE", "feed/timeline/1/follows/user:1/") == {}
    assert api.ok("DELETE", "feed/timeline/2/following/user:1/", keep_history=keep) == {}
    api.post("user:1")
    assert api.ids("timeline:1") == []
    assert api.ids("timeline:2") == [activity["id"]]
    api.ok("DELETE", f"feed/user/1/{activity['id']}/")
    assert api.ids("timeline:2") == []


@pytest.mark.parametrize("keep", ["0", "false", "False"])
def test_a_no_keeps_no_history(api: Api, keep):
    api.post("user:1")
    api.follow("timeline:1", "user:1")
    api.ok("DELETE", "feed/timeline/1/follows/user:1/", keep_history=keep)
    assert api.page("timeline:1") == []


def test_what_another_followed_feed_brings_stays(api: Api):
    for user in ("user:1", "user:2"):
        activity = api.post(user, foreign_id="a", time="2026-01-01T00:00:00")
        api.follow("timeline:1", user)
    api.ok("DELETE", "feed/timeline/1/follows/user:1/")
    assert [(item["id"], item["origin"]) for item in api.page("timeline:1")] == [(activity["id"], "user:2")]


def test_an_unfollow_of_what_is_not_followed_succeeds(api: Api):
    assert api.ok("DELETE", "feed/timeline/1/follows/user:99/") == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 4),
        ({"target": 7}, 4),
        ({"target": "user"}, 4),
        ({"target": "timeline:1"}, 4),
        ({"target": "aggregated:1"}, 4),
        ({"target": "notification:1"}, 4),
        ({"target": "nobody:1"}, 6),
    ],
)
def test_bad_follows_are_refused(api: Api, body, code):
    assert api.refused("POST", "feed/timeline/1/follows/", body) == (400, code)
    assert api.ok("GET", "feed/timeline/1/follows/")["results"] == []


@pytest.mark.parametrize("limit", [-1, 1001, 5000, "x", 1.5, True])
def test_a_bad_copy_limit_is_refused_in_the_documented_words(api: Api, limit):
    body = {"target": "user:1", "activity_copy_limit": limit}
    assert api.refusal("POST", "feed/timeline/1/follows/", body) == COPY_LIMIT
    # Even before the groups are looked at.
    many = [{"source": "nobody:1", "target": "user:1", "activity_copy_limit": limit}]
    assert api.refusal("POST", "follow_many/", many) == COPY_LIMIT


def test_lists_are_newest_first_filtered_and_bounded(api: Api):
    for number in range(3):
        api.follow("timeline:1", f"user:{number}")
        api.follow(f"timeline:{number}", "topic:1")
    follows = api.ok("GET", "feed/timeline/1/follows/")
    assert names(follows, "target_id") == ["user:2", "topic:1", "user:1", "user:0"]
    assert set(follows["results"][0]) == {"feed_id", "target_id", "created_at", "updated_at"}
    assert follows["results"][0]["created_at"].endswith("Z")
    assert follows == api.ok("GET", "feed/timeline/1/following", filter="")
    wanted = api.ok("GET", "feed/timeline/1/follows/", filter="user:1,user:0,user:7", limit="1", offset="1")
    assert names(wanted, "target_id") == ["user:0"]
    assert names(api.ok("GET", "feed/topic/1/followers/", limit="2"), "feed_id") == [
        "timeline:2",
        "timeline:1",
    ]
    assert api.ok("GET", "feed/topic/1/followers/", limit="500", offset="400") == {"results": []}
    for query in ({"limit": "501"}, {"offset": "401"}, {"filter": "x"}):
        assert api.refused("GET", "feed/topic/1/followers/", **query) == (400, 4)


def test_an_unknown_feed_has_neither_followers_nor_follows(api: Api):
    assert api.ok("GET", "feed/user/99/followers/") == {"results": []}
    assert api.ok("GET", "feed/user/99/follows/") == {"results": []}


def test_many_are_followed_with_limits_of_their_own(api: Api):
    for hour in range(3):
        api.post("user:1", time=f"2026-01-01T0{hour}:00:00")
    pairs = [
        {"source": "timeline:1", "target": "user:1"},
        {"source": "timeline:2", "target": "user:1", "activity_copy_limit": 1},
        {"source": "timeline:2", "target": "user:1", "activity_copy_limit": 1},
        {"source": "aggregated:1", "target": "user:1"},
    ]
    assert api.ok("POST", "follow_many/", pairs, activity_copy_limit="2") == {}
    assert [len(api.ids(feed)) for feed in ("timeline:1", "timeline:2")] == [2, 1]
    assert api.page("aggregated:1")[0]["activity_count"] == 2


def test_many_are_unfollowed_each_with_its_history(api: Api):
    activity = api.post("user:1")
    sources = ["timeline:1", "timeline:2", "timeline:3"]
    api.ok("POST", "follow_many/", [{"source": source, "target": "user:1"} for source in sources])
    body = [
        {"source": "timeline:1", "target": "user:1"},
        {"source": "timeline:2", "target": "user:1", "keep_history": True},
        {"source": "timeline:9", "target": "user:9"},
    ]
    assert api.ok("POST", "unfollow_many/", body) == {}
    assert [api.ids(source) for source in sources] == [[], [activity["id"]], [activity["id"]]]
    assert names(api.ok("GET", "feed/user/1/followers/"), "feed_id") == ["timeline:3"]


@pytest.mark.parametrize("empty", [[], {}, None])
def test_empty_batches_succeed(api: Api, empty):
    assert api.ok("POST", "follow_many/", empty) == {}
    assert api.ok("POST", "unfollow_many/", empty) == {}


@pytest.mark.parametrize(
    "pair", ["user:1", {"source": "user:1", "target": {"x": 1}}, {"source": 1, "target": "user:1"}]
)
def test_a_malformed_unfollow_is_refused_in_the_documented_words(api: Api, pair):
    assert api.refusal("POST", "unfollow_many/", [pair]) == (400, 4, "invalid request payload")


def test_batches_hold_at_most_2500(api: Api):
    pairs = [{"source": f"timeline:{number}", "target": "user:1"} for number in range(2501)]
    for path in ("follow_many/", "unfollow_many/"):
        assert api.refused("POST", path, pairs) == (400, 4)
    assert api.ok("GET", "feed/user/1/followers/") == {"results": []}


def test_one_bad_pair_refuses_the_batch(api: Api):
    pairs = [{"source": "timeline:1", "target": "user:1"}, {"source": "user:2", "target": "user:2"}]
    assert api.refused("POST", "follow_many/", pairs) == (400, 4)
    assert api.ok("GET", "feed/user/1/followers/") == {"results": []}


def test_stats_count_both_sides_and_by_group(api: Api):
    api.follow("timeline:1", "user:1")
    api.follow("notification:1", "user:1")
    api.follow("user:1", "topic:1")
    assert api.ok("GET", "stats/follow", followers="user:1", following="user:1") == {
        "results": {
            "followers": {"feed": "user:1", "count": 2},
            "following": {"feed": "user:1", "count": 1},
        }
    }
    one = api.ok("GET", "stats/follow/", followers="user:1", followers_slugs="timeline,flat")
    assert one == {"results": {"followers": {"feed": "user:1", "count": 1}}}
    assert api.refused("GET", "stats/follow/") == (400, 4)


def test_a_pair_that_one_request_names_twice_is_as_if_two_requests_did(api: Api):
    sent = [api.post("user:1")["id"] for _ in range(3)]
    pair = {"source": "timeline:1", "target": "user:1"}
    api.ok("POST", "follow_many/", [{**pair, "activity_copy_limit": most} for most in (1, 3)])
    assert api.ids("timeline:1") == sent[2:]
    api.ok("POST", "unfollow_many/", [{**pair, "keep_history": keep} for keep in (False, True)])
    assert api.ids("timeline:1") == []
