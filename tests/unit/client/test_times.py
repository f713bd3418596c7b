"""Which texts of an answer become datetimes, and which never do."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from django_stream.client import times

NAIVE, ZONED = "2018-12-21T09:45:42.455925", "2018-12-21T09:45:42.455925Z"
READ = datetime(2018, 12, 21, 9, 45, 42, 455925, UTC)
CUSTOM = {"time": NAIVE, "created_at": ZONED, "nested": [{"time": NAIVE}]}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (NAIVE, READ),
        (ZONED, READ),
        ("2018-12-21T11:45:42.455925+02:00", READ),
        ("2018-12-21T09:45:42.455925792Z", READ),
        ("2018-12-21T09:45:42Z", READ.replace(microsecond=0)),
        ("2018-12-21T09:45:42.4559Z", READ.replace(microsecond=455900)),
        ("yesterday", "yesterday"),
        ("", ""),
        (None, None),
        (7, 7),
        (READ, READ),
    ],
    ids=str,
)
def test_a_known_time_is_read_or_left_alone(text: Any, moment: Any) -> None:
    body = {"time": text}

    times.activity(body)

    assert body == {"time": moment}


def test_custom_fields_are_never_touched() -> None:
    activity = {"actor": NAIVE, "verb": "tweet", "object": "1", "time": NAIVE, "due": NAIVE, "custom": CUSTOM}
    before = copy.deepcopy(activity)

    times.activity(activity)

    assert activity == {**before, "time": READ}


def test_groups_and_their_activities_are_read() -> None:
    group = {
        "group": "g",
        "created_at": NAIVE,
        "updated_at": NAIVE,
        "activities": [{"time": NAIVE, "at": NAIVE}],
    }
    body = {"results": [group, {"time": NAIVE, "group": "custom", "created_at": ZONED}]}

    times.feed_page(body)

    assert body["results"] == [
        {"group": "g", "created_at": READ, "updated_at": READ, "activities": [{"time": READ, "at": NAIVE}]},
        {"time": READ, "group": "custom", "created_at": ZONED},
    ]


def test_what_enrichment_put_in_is_read() -> None:
    user = {"id": "bob", "created_at": ZONED, "updated_at": ZONED, "data": dict(CUSTOM)}
    reaction = {
        "id": "r1",
        "kind": "like",
        "created_at": ZONED,
        "updated_at": ZONED,
        "user": copy.deepcopy(user),
    }
    inner = {"verb": "post", "time": NAIVE, "actor": copy.deepcopy(user)}
    activity: dict[str, Any] = {
        "actor": user,
        "object": inner,
        "target": "",
        "reaction": reaction,
        "foreign_id": "reaction:r1",
        "time": NAIVE,
    }
    activity |= {"own_reactions": {"like": [copy.deepcopy(reaction)]}, "latest_reactions": {}}

    times.activity_results({"results": [activity]})

    assert (activity["time"], activity["actor"]["created_at"]) == (READ, READ)
    assert activity["actor"]["data"] == CUSTOM
    assert (activity["object"]["time"], activity["object"]["actor"]["updated_at"]) == (READ, READ)
    assert activity["reaction"]["user"]["created_at"] == READ
    assert activity["own_reactions"]["like"][0]["created_at"] == READ


def test_custom_fields_that_look_like_those_of_the_api_are_left_alone() -> None:
    custom = {"created_at": ZONED, "time": NAIVE, "verb": "v"}
    activity = {"id": "x", "actor": "a", "group": "g", "reaction": dict(custom), "activities": [dict(custom)]}

    for decode, body in (
        (times.activities, copy.deepcopy(activity)),
        (times.feed_page, {"results": [copy.deepcopy(activity)]}),
    ):
        decode(body)
        assert body.get("results", [body]) == [activity]


def test_children_of_reactions_are_read_at_every_depth() -> None:
    third = {"created_at": ZONED}
    second = {"created_at": ZONED, "latest_children": {"like": [third]}}
    top = {"created_at": ZONED, "updated_at": ZONED, "own_children": {"comment": [second]}}

    times.reaction_page({"results": [top]})

    assert (top["created_at"], second["created_at"], third["created_at"]) == (READ, READ, READ)


@pytest.mark.parametrize(
    "decode",
    [
        times.activity,
        times.activities,
        times.activity_results,
        times.activity_targets,
        times.audit_logs,
        times.feed_page,
        times.reaction,
        times.reaction_page,
        times.reactions,
        times.selected_entries,
        times.stamped,
        times.stamped_results,
        times.users,
    ],
    ids=lambda decode: decode.__name__,
)
def test_answers_of_unknown_shape_pass_unchanged(decode: times.Decoder) -> None:
    bodies: list[dict[str, Any]] = [
        {},
        {"results": None, "activities": None, "activity": None, "users": 1, "response": [], "reactions": {}},
        {"results": [None, 1, "a"], "activities": [None], "activity": [], "response": {"data": [None]}},
        {"results": [{"latest_reactions": [], "own_reactions": {"a": None}, "latest_children": None}]},
    ]
    after = copy.deepcopy(bodies)
    for body in after:
        decode(body)

    assert after == bodies
