"""Aggregated, notification and ranked feeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.calling import Api
from tests.extras import needs


@pytest.fixture(autouse=True)
def groups(settings):
    settings.STREAM_SERVER_FEED_GROUPS = {
        **settings.STREAM_SERVER_FEED_GROUPS,
        "by_actor": {
            "kind": "aggregated",
            "aggregation_format": "{{ actor }}{% if mood %}_{{ mood }}{% endif %}",
        },
        "invalid_aggregation_format": {"kind": "aggregated", "aggregation_format": "{{test[]}}"},
        "ranked": {
            "kind": "flat",
            "ranking": {
                "popular": {
                    "score": "decay_linear(time) * popularity ^ 2 + external.boost",
                    "defaults": {"popularity": 1, "external": {"boost": 0}},
                },
                "undefined": {"score": "nowhere"},
                "undefined_result": {"score": "1 / (popularity - popularity)"},
            },
        },
    }


def test_a_group_has_exactly_the_documented_keys(api: Api):
    api.follow("aggregated:1", "user:1")
    for hour, actor in enumerate("aab"):
        newest = api.post("user:1", actor=actor, time=f"2026-01-01T0{hour}:00:00")
    answer = api.ok("GET", "feed/aggregated/1/")
    assert set(answer) == {"results", "next"}
    [group] = answer["results"]
    moments = (group.pop("created_at"), group.pop("updated_at"))
    assert all(len(moment) == 26 and not moment.endswith("Z") for moment in moments)
    activities = group.pop("activities")
    assert [item["actor"] for item in activities] == ["b", "a", "a"]
    assert {item["origin"] for item in activities} == {"user:1"}
    assert group == {
        "id": newest["id"],
        "group": "tweet_2026-01-01",
        "verb": "tweet",
        "activity_count": 3,
        "actor_count": 2,
    }


def test_a_group_shows_its_15_newest_and_counts_all(api: Api):
    activities = [{"actor": "a", "verb": "v", "object": number} for number in range(17)]
    api.ok("POST", "feed/aggregated/1/", {"activities": activities})
    [group] = api.page("aggregated:1")
    assert (len(group["activities"]), group["activity_count"]) == (15, 17)
    assert [item["object"] for item in group["activities"]] == [str(16 - number) for number in range(15)]


@needs("aggregation")
def test_formats_may_use_every_field_and_conditions(api: Api):
    api.post("by_actor:1", actor="ann", mood="glad")
    api.post("by_actor:1", actor="ann")
    assert [group["group"] for group in api.page("by_actor:1")] == ["ann", "ann_glad"]


@needs("aggregation")
def test_a_broken_format_fails_the_read_and_not_the_write(api: Api):
    api.post("invalid_aggregation_format:1")
    refusal = (400, 14, "the format contains syntax errors")
    assert api.refusal("GET", "feed/invalid_aggregation_format/1/") == refusal


def test_an_update_shows_in_groups_and_does_not_move_the_activity(api: Api):
    made = api.post("aggregated:1", foreign_id="a", time="2026-01-01T00:00:00")
    api.post("aggregated:1", actor="other", time="2026-01-01T01:00:00")
    api.ok("POST", "activities/", {"activities": [{**made, "verb": "changed", "actor": "other"}]})
    [group] = api.page("aggregated:1")
    assert (group["group"], group["actor_count"]) == ("tweet_2026-01-01", 1)
    assert group["activities"][1]["verb"] == "changed"


def test_notification_feeds_count_and_mark(api: Api):
    for day in (1, 2):
        api.post("notification:1", time=f"2026-01-0{day}T00:00:00")
    answer = api.ok("GET", "feed/notification/1/", mark_seen="true")
    assert set(answer) == {"results", "next", "unseen", "unread"}
    assert (answer["unseen"], answer["unread"]) == (2, 2)
    first, second = answer["results"]
    assert first["id"] == f"{first['activities'][0]['id']}.tweet_2026-01-02"
    assert (first["is_seen"], first["is_read"]) == (False, False)
    before = api.ok(
        "GET", "feed/notification/1/", mark_read=f"{second['id']},{first['activities'][0]['id']}x"
    )
    assert (before["unseen"], before["unread"]) == (0, 2)
    after = api.ok("GET", "feed/notification/1/", limit="0")
    assert (after["results"], after["unseen"], after["unread"], after["next"]) == ([], 0, 1, "")
    assert [group["is_read"] for group in api.page("notification:1")] == [False, True]


def test_a_new_activity_makes_its_group_new_again(api: Api):
    api.post("notification:1", time="2026-01-01T00:00:00")
    api.post("notification:1", time="2026-01-02T00:00:00")
    api.ok("GET", "feed/notification/1/", mark_seen="true", mark_read="true")
    api.post("notification:1", time="2026-01-01T01:00:00")
    answer = api.ok("GET", "feed/notification/1/")
    assert (answer["unseen"], answer["unread"]) == (1, 1)
    assert [group["is_seen"] for group in answer["results"]] == [True, False]


def test_an_empty_notification_feed_waits_for_nobody(api: Api):
    empty = {"results": [], "next": "", "unseen": 0, "unread": 0}
    assert api.ok("GET", "feed/notification/9/", mark_seen="true") == empty


def test_pages_of_groups_follow_next(api: Api):
    for day in range(1, 6):
        api.post("notification:1", time=f"2026-01-0{day}T00:00:00")
    page = api.ok("GET", "feed/notification/1/", limit="2", mark_seen="true")
    assert "mark_seen" not in page["next"]
    seen = [group["id"] for group in page["results"]]
    while page["next"]:
        page = api.ok("GET", "feed/notification/1/", limit="2", id_lt=seen[-1])
        seen += [group["id"] for group in page["results"]]
    assert [name[-10:] for name in seen] == [f"2026-01-0{day}" for day in (5, 4, 3, 2, 1)]


def test_the_id_of_a_group_is_a_place_for_ever(api: Api):
    older = api.post("notification:1", time="2026-01-01T00:00:00")
    api.post("notification:1", time="2026-01-02T00:00:00")
    page = api.ok("GET", "feed/notification/1/", limit="1")
    api.post("notification:1", time="2026-01-02T01:00:00")
    following = api.follow_next(page)
    assert [group["activities"][0]["id"] for group in following["results"]] == [older["id"]]
    api.ok("DELETE", f"feed/notification/1/{page['results'][0]['activities'][0]['id']}/")
    assert api.follow_next(page) == following


@needs("aggregation")
@pytest.mark.parametrize("kind", ["aggregated", "notification"])
@pytest.mark.parametrize("offset", ["0", "1"])
def test_groups_that_get_something_newer_meanwhile_are_met_once(api: Api, settings, kind, offset):
    groups = settings.STREAM_SERVER_FEED_GROUPS
    by_verb = {"kind": kind, "aggregation_format": "{{ verb }}"}
    settings.STREAM_SERVER_FEED_GROUPS = {**groups, "grouped": by_verb}
    for hour in range(6):
        api.post("grouped:1", verb=f"v{hour}", time=f"2026-01-01T0{hour}:00:00")
    page = api.ok("GET", "feed/grouped/1/", limit="2")
    for hour, verb in enumerate(("v4", "v1", "v3", "new")):
        api.post("grouped:1", verb=verb, time=f"2026-01-02T0{hour}:00:00")
    query = {"limit": "2", "offset": offset} | dict(
        pair.split("=") for pair in page["next"].partition("?")[2].split("&") if "api_key" not in pair
    )
    found = api.page("grouped:1", **query)
    expected = [["v3", "v2"], ["v2", "v1"]][int(offset)]
    assert [group["group"] for group in found] == expected
    met = []
    while page["next"]:
        page = api.follow_next(page)
        met += [(group["group"], group["activity_count"]) for group in page["results"]]
    assert met == [("v3", 2), ("v2", 1), ("v1", 2), ("v0", 1)]
    refused = {"session": "x", "id_lt": query["id_lt"].partition(".")[0]}
    assert api.refused("GET", "feed/grouped/1/", **refused) == (400, 8)


def test_a_mark_means_not_newer_than_this(api: Api):
    kept = api.post("notification:1", time="2026-01-01T00:00:00")
    newest = api.post("notification:1", time="2026-01-01T01:00:00")
    [shown] = api.page("notification:1")
    api.ok("DELETE", f"feed/notification/1/{newest['id']}/")
    api.ok("GET", "feed/notification/1/", mark_read=shown["id"])
    [group] = api.page("notification:1")
    assert (group["activities"][0]["id"], group["is_read"], group["is_seen"]) == (kept["id"], True, False)
    api.post("notification:1", time="2026-01-01T02:00:00")
    api.ok("GET", "feed/notification/1/", mark_seen=shown["id"], mark_read=shown["id"])
    [group] = api.page("notification:1")
    assert (group["is_read"], group["is_seen"]) == (False, False)


@needs("aggregation")
def test_groups_with_commas_in_their_names_are_marked(api: Api, settings):
    groups = settings.STREAM_SERVER_FEED_GROUPS
    named = {"kind": "notification", "aggregation_format": "{{ verb }}, {{ object }}"}
    settings.STREAM_SERVER_FEED_GROUPS = {**groups, "notification": named}
    for number in range(3):
        api.post("notification:1", object=f"{number}.5, or so")
    shown = [group["id"] for group in api.page("notification:1")]
    for number, identity in enumerate(shown[:2]):
        activity = identity.partition(".")[0]
        if number:
            api.ok("DELETE", f"feed/notification/1/{activity}/")
            api.post("notification:1", object="1.5, or so", time="2026-01-01T00:00:00")
    api.ok("GET", "feed/notification/1/", mark_read=", ".join(shown[:2]))
    assert [group["is_read"] for group in api.page("notification:1")] == [True, False, True]


def hours_ago(hours: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def test_ranked_reads_order_by_score_and_tell_it(api: Api):
    for hours, popularity in ((1, 1), (2, 3), (3, 2)):
        api.post("ranked:1", object=popularity, popularity=popularity, time=hours_ago(hours))
    api.post("ranked:1", object="default", time=hours_ago(96))
    answer = api.ok("GET", "feed/ranked/1/", ranking="popular")
    assert [item["object"] for item in answer["results"]] == ["3", "2", "1", "default"]
    scores = [item["score"] for item in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    # Five days halve a linear decay: four days leave 0.6.
    assert scores[3] == pytest.approx(0.6, abs=0.001)
    assert "score_vars" not in answer["results"][0]
    boosted = api.page("ranked:1", ranking="popular", withScoreVars="true", ranking_vars='{"boost": 7.5}')
    assert boosted[3]["score"] == pytest.approx(8.1, abs=0.001)
    assert {name: boosted[0]["score_vars"][name] for name in ("popularity", "external.boost")} == {
        "popularity": 3.0,
        "external.boost": 7.5,
    }


def test_ranked_pages_keep_their_clock_and_what_was_there_when_they_began(api: Api):
    for number in range(5):
        api.post("ranked:1", object=number, popularity=number, time=hours_ago(number + 1))
    page = api.ok("GET", "feed/ranked/1/", ranking="popular", limit="2")
    query = dict(pair.split("=") for pair in page["next"].partition("?")[2].split("&"))
    assert {name: query[name] for name in ("offset", "limit", "ranking")} == {
        "offset": "2",
        "limit": "2",
        "ranking": "popular",
    }
    first_scores = {
        item["object"]: item["score"]
        for item in api.page(
            "ranked:1",
            **query,
        )
    }
    api.post("ranked:1", object="late", popularity=99)
    again = api.page("ranked:1", **query)
    assert {item["object"]: item["score"] for item in again} == first_scores
    assert api.page("ranked:1", ranking="popular")[0]["object"] == "late"


def test_ranked_pages_go_on_where_they_were_when_something_is_removed(api: Api):
    made = [
        api.post("ranked:1", object=number, popularity=10 - number, time=hours_ago(1))["id"]
        for number in range(6)
    ]
    page = api.ok("GET", "feed/ranked/1/", ranking="popular", limit="2")
    for gone in (made[1], made[0], made[3]):
        api.ok("DELETE", f"feed/ranked/1/{gone}/")
    page = api.follow_next(page)
    assert [item["object"] for item in page["results"]] == ["2", "4"]
    page = api.follow_next(page)
    assert ([item["object"] for item in page["results"]], page["next"]) == (["5"], "")


def test_an_unranked_feed_ignores_the_flags(api: Api):
    api.post("ranked:1")
    assert "score" not in api.page("ranked:1", withScoreVars="true", ranking_vars='{"a": 1}')[0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"ranking": "unknown"}, 12),
        ({"ranking": "undefined"}, 11),
        ({"ranking": "undefined_result"}, 11),
        ({"ranking": "popular", "id_lt": "9b5b3540-e825-11e8-8080-800016ff21e4"}, 8),
    ],
)
def test_unusable_rankings_are_refused(api: Api, query, code):
    api.post("ranked:1")
    assert api.refused("GET", "feed/ranked/1/", **query) == (400, code)
